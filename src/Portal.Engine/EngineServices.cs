using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Portal.Engine.Images;
using Portal.Engine.Remote;

namespace Portal.Engine;

/// <summary>Wires the engine into a container.</summary>
public static class EngineServices
{
    /// <summary>
    /// Registers <see cref="IVmEngines"/> and <see cref="IHostDoor"/>. Takes a registered <see cref="TimeProvider"/> where there is one, and a
    /// <see cref="PortalKeySource"/> and <see cref="EngineOptions"/> where hosts are other machines.
    /// </summary>
    public static IServiceCollection AddPortalEngine(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<EngineOptions>();
        services.TryAddSingleton<PortalKeySource>(_ => _ => throw new InvalidOperationException("Nobody gives the portal's key."));
        services.TryAddSingleton<IVmEngines, VmEngines>();
        services.TryAddSingleton<IHostDoor, HostDoor>();
        services.TryAddSingleton<IImageWorkshop, ImageWorkshop>();
        return services;
    }
}

/// <summary>What the engine needs to know of the machine that it runs on.</summary>
public sealed class EngineOptions
{
    /// <summary>An absolute directory for what is made here on its way to other hosts (images, seeds), and for copies of their consoles.</summary>
    public string WorkPath { get; set; } = Path.Combine(Path.GetTempPath(), $"portal-{Environment.UserName}");

    /// <summary>How large what operators import may be.</summary>
    public ImportBounds Imports { get; set; } = new();
}
