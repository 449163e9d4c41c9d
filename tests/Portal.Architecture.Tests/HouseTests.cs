using System.Reflection;
using ArchUnitNET.Domain;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Npgsql;
using Portal.App;
using Portal.App.Access;
using Portal.App.Operations;

namespace Portal.Architecture.Tests;

/// <summary>The arrows of the house. Beside each rule stands a bad example on which it must fail.</summary>
public sealed class HouseTests
{
    private const string Bad = "Portal.Architecture.Tests.Bad";
    private static readonly string[] s_database = ["Microsoft.EntityFrameworkCore", "Npgsql", "Hangfire"];

    // What the engine's port says of a guest, its console and its host, and what can be changed of a guest, passes through App as it is; to wrap it would only repeat it.
    private static readonly string[] s_ofTheEngine =
    [
        "Portal.Engine.DomainState", "Portal.Engine.DomainLog", "Portal.Engine.IGuestConsole", "Portal.Engine.HostKind", "Portal.Engine.StorageKind", "Portal.Engine.KernelGuests", "Portal.Engine.ImageFormat", "Portal.Engine.ImagePacking", "Portal.Engine.ImageBoot", "Portal.Engine.HostCheck", "Portal.Engine.CheckLevel", "Portal.Engine.JournalLine", "Portal.Engine.DomainChange",
        // And what it says of domains that others made.
        "Portal.Engine.ForeignSighting", "Portal.Engine.ForeignReading", "Portal.Engine.ForeignDomain", "Portal.Engine.ForeignDomainType", "Portal.Engine.ForeignDisk", "Portal.Engine.ForeignVif", "Portal.Engine.CpuPin",
        "Portal.Engine.UnderstoodSetting", "Portal.Engine.NotUnderstoodSetting", "Portal.Engine.ShutdownAction", "Portal.Engine.AdoptionOffer", "Portal.Engine.AdoptedDomain", "Portal.Engine.AdoptedDisk",
    ];

    [Fact]
    public void The_kernel_knows_nothing_but_the_platform()
    {
        Holds(Rules.References(House.Kernel, "System"));
        Fails(Rules.References(House.App, "System"));
    }

    [Fact]
    public void The_engine_knows_the_kernel_and_no_tenant_no_money_no_database()
    {
        Holds(Rules.References(House.Engine, "System", "Microsoft.Win32", "Portal.Kernel", "Microsoft.Extensions.DependencyInjection", "Microsoft.Extensions.Logging", "Renci.SshNet"));
        Fails(Rules.References(House.App, "System", "Portal.Kernel"));
    }

    [Fact]
    public void The_app_knows_no_web()
    {
        Holds(Rules.Use(House.TypesOf(House.App), t => t.In("Portal.Web")));
        Fails(Rules.Use(House.TypesOf(House.Web), t => t.In("Portal.Web")));
    }

    [Fact]
    public void Pages_and_endpoints_touch_neither_the_database_nor_the_job_server()
    {
        Holds(Rules.Use(House.TypesOf(House.Web, t => !t.In("Portal.Web.Hosting") && t.In("Portal.Web")), OfTheDatabase));
        Fails(Rules.Use(House.TypesOf(House.Canaries, t => t.In(Bad)), OfTheDatabase));

        static bool OfTheDatabase(IType type) => s_database.Any(type.In);
    }

    [Fact]
    public void Pages_and_endpoints_touch_no_engine()
    {
        Holds(Rules.Use(House.TypesOf(House.Web, t => !t.In("Portal.Web.Hosting") && t.In("Portal.Web")), OfTheEngine));
        Fails(Rules.Use(House.TypesOf(House.App), OfTheEngine));

        static bool OfTheEngine(IType type) => type.In("Portal.Engine") && !s_ofTheEngine.Contains(type.FullName.Split('+')[0]);
    }

    [Fact]
    public void Subjects_form_no_circle()
    {
        // An entry names who acted, and a change of someone's roles is an entry: the two are one layer.
        Holds(Rules.Circles(House.TypesOf(House.App), "Portal.App", ["Access", "Audit"]));
        Fails(Rules.Circles(House.TypesOf(House.Canaries), Bad));
    }

    [Fact]
    public void Drivers_are_unreachable()
    {
        Holds(from type in House.Reflected(House.Engine) where type.IsVisible && (type.Namespace!.Contains(".Libvirt", StringComparison.Ordinal) || type.Namespace.Contains(".Shell", StringComparison.Ordinal) || type.Namespace.Contains(".Remote", StringComparison.Ordinal)) select type.FullName);
        Fails(from type in House.Reflected(House.Engine) where type.IsVisible select type.FullName);
    }

    [Fact]
    public void Only_the_shell_starts_programs()
    {
        Holds(Rules.Use(House.TypesOf(House.Engine, t => !t.In("Portal.Engine.Shell")), StartsPrograms));
        Holds(Rules.Use(House.TypesOf(House.App), StartsPrograms));
        Holds(Rules.Use(House.TypesOf(House.Web), StartsPrograms));
        Fails(Rules.Use(House.TypesOf(House.Canaries, t => t.In(Bad)), StartsPrograms));

        static bool StartsPrograms(IType type) => type.FullName is "System.Diagnostics.Process" or "System.Diagnostics.ProcessStartInfo";
    }

    [Fact]
    public void Commands_are_made_where_they_can_be_read_together()
    {
        // A fence's hold puts a lock before a command that was made elsewhere.
        Holds(Rules.Make(House.TypesOf(House.Engine, t => !t.In("Portal.Engine.Shell") && t.Name != "FenceHold" && !t.Name.EndsWith("Commands", StringComparison.Ordinal)), "Portal.Engine.Shell.HostCommand"));
        Fails(Rules.Make(House.TypesOf(House.Engine), "Portal.Engine.Shell.HostCommand"));
    }

    [Fact]
    public void Entities_guard_themselves()
    {
        using var source = NpgsqlDataSource.Create("Host=nowhere");
        using var db = new PortalDbs(source).ForMigrations();
        var bad = new ModelBuilder(new ConventionSet());
        var entity = bad.Entity<Bad.OpenEntity>();
        entity.Property(e => e.Id);

        // An account is Identity's own class, which sets its properties by itself; keys are data protection's.
        Holds(Rules.OpenEntities(db.Model.GetEntityTypes().Where(e => e.ClrType.Assembly == House.App && e.ClrType != typeof(PortalUser))));
        Fails(Rules.OpenEntities([entity.Metadata]));
    }

    [Fact]
    public void Every_use_case_asks_the_rules_of_access()
    {
        // Whoever holds an invitation may take it: the link is the right.
        Holds(Rules.UnguardedHandlers(AppServices.Handlers.Where(h => h != typeof(App.Tenants.AcceptInvitation.Handler))));
        Fails(Rules.UnguardedHandlers([typeof(Bad.Unguarded.Handler)]), 3);
    }

    [Fact]
    public void Every_page_says_who_may_see_it()
    {
        // Under RequireAuthorization for all, a page says so itself or is open by name.
        var pages = House.Reflected(House.Web).Where(t => t.GetCustomAttributes<RouteAttribute>().Any()).ToList();

        Assert.NotEmpty(pages);
        Holds(from page in pages where page.GetCustomAttribute<AuthorizeAttribute>() is null && page.GetCustomAttribute<AllowAnonymousAttribute>() is null select page.FullName);
        Fails(from type in House.Reflected(House.Canaries) where type.GetCustomAttribute<AuthorizeAttribute>() is null select type.FullName);
    }

    [Fact]
    public void Jobs_are_doorbells()
    {
        // The job, and who rings for it.
        string[] ringers = [typeof(RunOperation).FullName!, typeof(Doorbell).FullName!];
        Holds(Rules.Use(House.TypesOf(House.App, t => !ringers.Any(r => t.FullName.StartsWith(r, StringComparison.Ordinal))), t => t.In("Hangfire")));
        Fails(Rules.Use(House.TypesOf(House.Canaries, t => t.In(Bad)), t => t.In("Hangfire")));
        var job = typeof(RunOperation).GetMethod(nameof(RunOperation.RunAsync))!;
        Assert.Equal([typeof(Guid), typeof(CancellationToken)], job.GetParameters().Select(p => p.ParameterType));
        Assert.NotNull(job.GetCustomAttribute<Hangfire.QueueAttribute>());
        Assert.NotNull(job.GetCustomAttribute<Hangfire.AutomaticRetryAttribute>());
    }

    [Fact]
    public void Tasks_are_awaited_and_can_be_stopped()
    {
        Holds(Rules.LooseTasks(House.Reflected(House.Engine, House.App), tokens: true));
        Holds(Rules.LooseTasks(House.Reflected(House.Kernel, House.Web), tokens: false));
        Fails(Rules.LooseTasks([typeof(Bad.Loose)], tokens: true), 2);
    }

    [Fact]
    public void An_events_number_means_one_thing()
    {
        Holds(Rules.SharedEventIds(House.Reflected(House.Engine, House.App, House.Web)));
        Fails(Rules.SharedEventIds([typeof(Bad.BadLog)]));
    }

    [Fact]
    public void Every_public_type_says_what_it_is()
    {
        Holds(Rules.Silent(House.Kernel));
        Holds(Rules.Silent(House.Engine));
        Holds(Rules.Silent(House.App));
        Fails(Rules.Silent(House.Canaries));
    }

    private static void Holds(IEnumerable<string?> broken) => Assert.True(!broken.Any(), string.Join('\n', broken.Take(40)));

    private static void Fails(IEnumerable<string?> broken, int times = 1) => Assert.True(broken.Count() >= times, "The rule did not see its bad example.");
}
