using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Portal.App.Access;
using Portal.App.Consoles;
using Portal.App.Control;
using Portal.App.Hosts;
using Portal.App.Operations;
using Portal.App.Ordering;
using Portal.App.Outbox;
using Portal.App.Setup;
using Portal.App.Templates;
using Portal.App.Vms;
using Portal.Engine;

namespace Portal.App;

/// <summary>Wires the product.</summary>
public static class AppServices
{
    /// <summary>Adds handlers and rules. The caller adds an NpgsqlDataSource, Identity and Hangfire's client.</summary>
    public static IServiceCollection AddPortalApp(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton<PortalKeys>();
        services.AddSingleton<PortalKeySource>(provider => provider.GetRequiredService<PortalKeys>().PrivateAsync);
        services.AddPortalEngine();
        services.TryAddSingleton(TimeProvider.System);
        services.AddDataProtection().SetApplicationName("portal").PersistKeysToDbContext<PortalDb>();
        services.AddOptions<MailOptions>().Bind(configuration.GetSection(MailOptions.Section)).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<PortalDbs>();
        services.AddSingleton<UserDataSeal>();
        services.AddSingleton<AccessRules>();
        services.AddSingleton<ActorSource>();
        services.AddSingleton<ChangeFeed>();
        services.AddSingleton<ProcessLease>();
        services.AddSingleton<Doorbell>();
        services.AddSingleton<OperationRunner>();
        services.AddTransient<RunOperation>();
        services.AddSingleton<OperationSweep>();
        services.AddSingleton<OrderSweep>();
        services.AddSingleton<ImageBuilds>();
        services.AddSingleton<BootStarts>();
        services.AddSingleton<TemplateBuilds>();
        services.AddSingleton<HostWatch>();
        services.AddSingleton<MoveLeftovers>();
        services.AddSingleton<LeaseSweep>();
        services.AddSingleton<ScheduleSweep>();
        services.AddSingleton<MailDispatcher>();
        services.AddSingleton<ConsoleSessions>();
        services.AddTransient<DecideOrder.ByPolicy>();
        services.AddTransient<FirstRun>();
        services.AddTransient<LabHost>();
        foreach (var handler in Handlers)
        {
            services.AddTransient(handler);
        }

        return services;
    }

    /// <summary>Adds what works without being asked: sweeps, the watch over hosts, image builds, mail.</summary>
    public static IServiceCollection AddPortalWorkers(this IServiceCollection services)
    {
        services.AddHostedService(s => s.GetRequiredService<ChangeFeed>());
        services.AddHostedService(s => s.GetRequiredService<ProcessLease>());
        services.AddHostedService(s => s.GetRequiredService<OperationSweep>());
        services.AddHostedService(s => s.GetRequiredService<OrderSweep>());
        services.AddHostedService(s => s.GetRequiredService<ImageBuilds>());
        services.AddHostedService(s => s.GetRequiredService<TemplateBuilds>());
        services.AddHostedService(s => s.GetRequiredService<HostWatch>());
        services.AddHostedService(s => s.GetRequiredService<MoveLeftovers>());
        services.AddHostedService(s => s.GetRequiredService<LeaseSweep>());
        services.AddHostedService(s => s.GetRequiredService<ScheduleSweep>());
        services.AddHostedService(s => s.GetRequiredService<MailDispatcher>());
        return services;
    }

    /// <summary>Every use case's handler.</summary>
    public static IReadOnlyList<Type> Handlers { get; } =
        [.. typeof(AppServices).Assembly.GetTypes().Where(t => t is { IsNestedPublic: true, Name: "Handler" })];
}
