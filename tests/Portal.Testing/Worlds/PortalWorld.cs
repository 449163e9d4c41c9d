using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portal.App;
using Portal.App.Access;
using Portal.App.Control;
using Portal.App.Fleet;
using Portal.App.Hosts;
using Portal.App.Operations;
using Portal.App.Ordering;
using Portal.App.Policies;
using Portal.App.Setup;
using Portal.App.Tenants;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Engine.Simulated;
using Portal.Kernel;
using Portal.Testing.Postgres;
using Host = Portal.App.Hosts.Host;

namespace Portal.Testing.Worlds;

/// <summary>
/// A whole portal without its web: real PostgreSQL, the simulated engine on a pool of its own, the first run done, the image built. It has one
/// <see cref="Main"/> process from the start; others are started beside it.
/// </summary>
public sealed class PortalWorld : IAsyncDisposable
{
    /// <summary>The key of a person who never was.</summary>
    public const string SshKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl ada@example";

    private static readonly TenantLimits s_plenty = new(Limit.None, Limit.None, Limit.None, Limit.None);
    private readonly List<WorldProcess> _processes = [];
    private int _named;

    private PortalWorld(TestDatabase database, string pool)
    {
        Database = database;
        Pool = pool;
        Faults = new SimulatedFaults(pool);
    }

    public TestDatabase Database { get; }

    /// <summary>The simulated host's directory.</summary>
    public string Pool { get; }

    public SimulatedFaults Faults { get; }

    /// <summary>What the host refuses whenever it is asked, by whichever process.</summary>
    public ConcurrentDictionary<SimulatedVerb, Refusal> Refusals { get; } = [];

    public WorldProcess Main { get; private set; } = null!;

    /// <summary>The first run's tenant, without limits.</summary>
    public TenantId Tenant { get; private set; }

    /// <summary>An owner of <see cref="Tenant"/>.</summary>
    public Actor Owner { get; private set; } = Actor.Portal;

    /// <summary>An approver, who is in no tenant.</summary>
    public Actor Approver { get; private set; } = Actor.Portal;

    public Actor Administrator { get; private set; } = Actor.Portal;

    public static async Task<PortalWorld> CreateAsync(PostgresFixture postgres, CancellationToken ct, TimeProvider? clock = null) =>
        await CreateAsync(await postgres.NewFilledAsync(ct), ct, clock);

    /// <summary>On a database that the first run has filled.</summary>
    public static async Task<PortalWorld> CreateAsync(TestDatabase database, CancellationToken ct, TimeProvider? clock = null)
    {
        var world = new PortalWorld(database, Directory.CreateTempSubdirectory("portal-pool-").FullName);
        world.Main = await world.StartProcessAsync(ct, clock);
        await world.SettleInAsync(ct);
        return world;
    }

    /// <summary>The mark of the one host, as a data directory would keep it.</summary>
    public const string Instance = "0badcafe";

    private static FirstRunNotes NoNotes { get; } = new(_ => Task.CompletedTask, _ => Task.CompletedTask);

    /// <summary>Lets the first run fill an empty portal.</summary>
    internal static async Task FillAsync(TestDatabase database)
    {
        await using var process = new WorldProcess(database, []);
        await using var scope = process.Services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<FirstRun>().RunAsync(new FirstRunRequest("simulated", "/nowhere", [Instance], null, null), NoNotes, CancellationToken.None);
    }

    /// <summary>A process on a database that may be empty: without a world, for what comes before the first run.</summary>
    public static async Task<WorldProcess> StartAsync(TestDatabase database, CancellationToken ct)
    {
        var process = new WorldProcess(database, []);
        await process.StartAsync(ct);
        return process;
    }

    /// <summary>Another portal process on the same database and the same host.</summary>
    public async Task<WorldProcess> StartProcessAsync(CancellationToken ct, TimeProvider? clock = null)
    {
        var process = new WorldProcess(Database, Refusals, clock);
        _processes.Add(process);
        await process.StartAsync(ct);
        return process;
    }

    /// <summary>Makes another tenant with an owner of its own.</summary>
    /// <param name="policy">The provider's policy for it; null for the platform's own.</param>
    public async Task<(TenantId Tenant, Actor Owner)> AddTenantAsync(string slug, CancellationToken ct, PolicyBody? policy = null, TenantLimits? limits = null)
    {
        var tenant = (await Main.Get<CreateTenant.Handler>().HandleAsync(new(slug, slug, "EUR", limits ?? s_plenty), Administrator, ct)).Value;
        if (policy is not null)
        {
            Assert((await Main.Get<SavePolicy.Handler>().HandleAsync(new(tenant, PolicySide.Provider, policy, "", 0), Administrator, ct)).Refusal);
        }

        return (tenant, await AddPersonAsync($"{slug}-owner", [], [(tenant, TenantRole.Owner)], ct));
    }

    /// <summary>Makes a person with an account, as the portal would load it.</summary>
    public async Task<Actor> AddPersonAsync(string name, IReadOnlyList<PlatformRole> roles, IReadOnlyList<(TenantId Tenant, TenantRole Role)> memberships, CancellationToken ct)
    {
        await using var db = Main.Dbs.ForSystem();
        var now = await db.NowAsync(ct);
        var email = $"{name}@example.org";
        var user = new PortalUser { UserName = email, NormalizedUserName = email.ToUpperInvariant(), Email = email, NormalizedEmail = email.ToUpperInvariant(), DisplayName = name, CreatedAt = now };
        db.Add(user);
        db.AddRange(roles.Select(r => new StaffRole(user.UserId, r)));
        db.AddRange(memberships.Select(m => new Membership(m.Tenant, user.UserId, m.Role, name, email, now)));
        await db.SaveChangesAsync(ct);
        return await ActorAsync(user.UserId, ct);
    }

    public async Task<Actor> ActorAsync(UserId user, CancellationToken ct) =>
        await Main.Get<ActorSource>().LoadAsync(user, ct) ?? throw new InvalidOperationException("There is no such person.");

    /// <summary>A name that nobody in this world has yet.</summary>
    public string NewName() => $"vm-{Interlocked.Increment(ref _named)}";

    public async Task<OrderForm> FormAsync(string name, CancellationToken ct, string plan = "Nano", int count = 1)
    {
        await using var db = Main.Dbs.ForSystem();
        var template = await db.Templates.Select(t => t.Id).SingleAsync(ct);
        var size = await db.Plans.Where(p => p.Name == plan).Select(p => p.Id).SingleAsync(ct);
        return new OrderForm([new LineForm(template, size, name, count, [SshKey])], "");
    }

    /// <summary>Orders as the tenant's owner.</summary>
    public async Task<OrderId> OrderAsync(CancellationToken ct, string? name = null, string plan = "Nano", int count = 1, TenantId? tenant = null, Actor? owner = null) =>
        (await Main.Get<PlaceOrder.Handler>().HandleAsync(
            new(tenant ?? Tenant, await FormAsync(name ?? NewName(), ct, plan, count), Guid.CreateVersion7().ToString()), owner ?? Owner, ct)).Value.Order;

    /// <summary>Orders and approves; the build is rung for in <see cref="Main"/> and not begun.</summary>
    public async Task<IReadOnlyList<Vm>> OrderAndApproveAsync(CancellationToken ct, string? name = null, string plan = "Nano", int count = 1, TenantId? tenant = null, Actor? owner = null)
    {
        var order = await OrderAsync(ct, name, plan, count, tenant, owner);
        Assert((await Main.Get<DecideOrder.Handler>().HandleAsync(new(order, Verdict.Approve, ""), Approver, ct)).Refusal);
        await using var db = Main.Dbs.ForSystem();
        var lines = await db.OrderLines.Where(l => l.OrderId == order).Select(l => l.Id).ToListAsync(ct);
        return await db.Vms.AsNoTracking().Where(v => lines.Contains(v.OrderLineId)).OrderBy(v => v.Id).ToListAsync(ct);
    }

    /// <summary>A VM that was ordered, approved and built, and runs.</summary>
    public async Task<Vm> RunningVmAsync(CancellationToken ct, TenantId? tenant = null, Actor? owner = null)
    {
        var vm = (await OrderAndApproveAsync(ct, tenant: tenant, owner: owner)).Single();
        await Main.RunRungAsync(ct);
        return await VmAsync(vm.Id, ct);
    }

    /// <summary>A domain that somebody made by hand, and that the host's administrator lets the portal adopt.</summary>
    public async Task<AdoptDomain.Request> ForeignAsync(CancellationToken ct, bool running = true)
    {
        var name = NewName();
        var file = $"{name}.cfg";
        var number = Interlocked.Increment(ref _named);
        Faults.PutForeign(file, $"name = '{name}'\nmemory = 128\nkernel = '/boot/vmlinuz'\nroot = '/dev/sda1 ro'\nvif = [ 'mac=00:16:3e:7f:{number >> 8 & 255:x2}:{number & 255:x2}, bridge=simbr0' ]\ndisk = [ 'phy:simulated/{name},sda1,w' ]\n", running);
        var host = (await HostAsync(ct)).Id;
        var found = (await Main.Get<FindForeign.Handler>().HandleAsync(new(host), Administrator, ct)).Value.Single(r => r.Sighting.Name == name);
        Faults.PermitAdoption(found.Sighting.Offer!.Permit);
        await using var db = Main.Dbs.ForSystem();
        var plan = await db.Plans.Where(p => p.Name == "Nano").Select(p => p.Id).SingleAsync(ct);
        var address = await db.Addresses.Where(a => a.VmId == null).OrderByDescending(a => a.Ip).Select(a => a.Ip).FirstAsync(ct);
        return new AdoptDomain.Request(host, name, Tenant, plan, name, address.ToString(), MayShutDown: true);
    }

    public async Task<Vm> VmAsync(VmId id, CancellationToken ct)
    {
        await using var db = Main.Dbs.ForSystem();
        return await db.Vms.AsNoTracking().SingleAsync(v => v.Id == id, ct);
    }

    /// <summary>The VM's newest operation, with its steps in order.</summary>
    public async Task<Operation> LastOperationAsync(VmId vm, CancellationToken ct)
    {
        await using var db = Main.Dbs.ForSystem();
        return await db.Operations.AsNoTracking().Include(o => o.Steps.OrderBy(s => s.Ordinal)).Where(o => o.VmId == vm).OrderByDescending(o => o.CreatedAt).FirstAsync(ct);
    }

    /// <summary>Asks for an operation of a kind, as its owner would; a change is a pause. The bell is rung in <see cref="Main"/> and left ringing.</summary>
    public async Task<Result<OperationId>> AskAsync(Vm vm, OperationKind kind, CancellationToken ct, Actor? actor = null)
    {
        var who = actor ?? Owner;
        return kind switch
        {
            OperationKind.Build => await Main.Get<RetryBuild.Handler>().HandleAsync(new(vm.TenantId, vm.Id), who, ct),
            OperationKind.Start => await Power(PowerVm.Action.Start),
            OperationKind.ShutDown => await Power(PowerVm.Action.ShutDown),
            OperationKind.PowerOff => await Power(PowerVm.Action.PowerOff),
            OperationKind.Reboot => await Power(PowerVm.Action.Reboot),
            OperationKind.Change => await Main.Get<ChangeVm.Handler>().HandleAsync(new(vm.TenantId, vm.Id, new DomainChange.Pause()), who, ct),
            OperationKind.Adopt => throw new ArgumentException("What is adopted is no VM before.", nameof(kind)),
            OperationKind.Move => await Main.Get<MoveVm.Handler>().HandleAsync(new(vm.TenantId, vm.Id, await OtherHostAsync(vm, ct), MayForceOff: false), Operator, ct),
            OperationKind.Detach => await Main.Get<DetachVm.Handler>().HandleAsync(new(vm.TenantId, vm.Id), Administrator, ct),
            OperationKind.Delete => await Main.Get<DeleteVm.Handler>().HandleAsync(new(vm.TenantId, vm.Id, vm.Name), who, ct),
        };

        Task<Result<OperationId>> Power(PowerVm.Action action) => Main.Get<PowerVm.Handler>().HandleAsync(new(vm.TenantId, vm.Id, action), who, ct);
    }

    /// <summary>Asks and works it off in <see cref="Main"/>.</summary>
    public async Task<Operation> DoAsync(Vm vm, OperationKind kind, CancellationToken ct)
    {
        Assert((await AskAsync(vm, kind, ct)).Refusal);
        await Main.RunRungAsync(ct);
        return await LastOperationAsync(vm.Id, ct);
    }

    /// <summary>Lets the time pass that an operation rests.</summary>
    public Task EndRestAsync(OperationId operation, CancellationToken ct) =>
        Database.ExecuteAsync("UPDATE operations SET not_before = clock_timestamp() WHERE id = $1", ct, operation.Value);

    /// <summary>Registers another simulated host, smaller than the first, whose guests are on one wire with those of the first: VMs can be moved between the two.</summary>
    public async Task<Host> AddHostAsync(string name, string instance, CancellationToken ct)
    {
        var pool = Directory.CreateTempSubdirectory("portal-pool-").FullName;
        OtherPools.Add(pool);
        Host host;
        await using (var db = Main.Dbs.ForSystem())
        {
            host = await OtherHost.AddAsync(db, name, instance, pool, ct);
        }

        Operator = await AddPersonAsync($"operator-of-{name}", [PlatformRole.Operator], [], ct);
        await Main.Get<HostWatch>().LookAsync(ct);
        return host;
    }

    private List<string> OtherPools { get; } = [];

    /// <summary>Looks after hosts; there from the first <see cref="AddHostAsync"/> on.</summary>
    public Actor Operator { get; private set; } = Actor.Portal;

    private async Task<HostId> OtherHostAsync(Vm vm, CancellationToken ct)
    {
        await using var db = Main.Dbs.ForSystem();
        return await db.Hosts.Where(h => h.Id != vm.HostId).OrderBy(h => h.Id).Select(h => h.Id).FirstAsync(ct);
    }

    /// <summary>The engine of a host, past every fate.</summary>
    public IVmEngine EngineOf(Host host) => Main.Get<IVmEngines>().For(host.Connection);

    /// <summary>The engine itself, past every fate.</summary>
    public async Task<IVmEngine> EngineAsync(CancellationToken ct) => Main.Get<IVmEngines>().For((await HostAsync(ct)).Connection);

    public async Task<Host> HostAsync(CancellationToken ct)
    {
        await using var db = Main.Dbs.ForSystem();
        return await db.Hosts.AsNoTracking().OrderBy(h => h.Id).FirstAsync(ct);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            await process.DisposeAsync();
        }

        await Database.DisposeAsync();
        foreach (var pool in OtherPools.Append(Pool))
        {
            Directory.Delete(pool, recursive: true);
        }
    }

    private static void Assert(Refusal? refusal)
    {
        if (refusal is not null)
        {
            throw new InvalidOperationException($"Refused: {refusal.Code}: {refusal.Message}");
        }
    }

    private async Task SettleInAsync(CancellationToken ct)
    {
        await using (var scope = Main.Services.CreateAsyncScope())
        {
            await scope.ServiceProvider.GetRequiredService<FirstRun>().RunAsync(new FirstRunRequest("simulated", Pool, [Instance], null, null), NoNotes, ct);
        }

        await Main.Get<ImageBuilds>().BuildMissingAsync(new HashSet<(PoolId, TemplateVersionId)>(), ct);
        await Main.Get<HostWatch>().LookAsync(ct);
        await using (var db = Main.Dbs.ForSystem())
        {
            var tenant = await db.Tenants.SingleAsync(ct);
            tenant.Change(tenant.Name, s_plenty);
            await db.SaveChangesAsync(ct);
            Tenant = tenant.Id;
            Owner = await ActorAsync(await UserAsync(db, "tenant@portal.example", ct), ct);
            Approver = await ActorAsync(await UserAsync(db, "approver@portal.example", ct), ct);
            Administrator = await ActorAsync(await UserAsync(db, "admin@portal.example", ct), ct);
        }
    }

    private static async Task<UserId> UserAsync(PortalDb db, string email, CancellationToken ct) => new(await db.Users.Where(u => u.Email == email).Select(u => u.Id).SingleAsync(ct));
}
