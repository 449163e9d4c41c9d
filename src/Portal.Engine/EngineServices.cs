using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Portal.Engine;

/// <summary>Wires the engine into a container.</summary>
public static class EngineServices
{
    /// <summary>Registers <see cref="IVmEngines"/>; takes a registered <see cref="TimeProvider"/> where there is one.</summary>
    public static IServiceCollection AddPortalEngine(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IVmEngines, VmEngines>();
        return services;
    }
}
