using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.App.Access;
using Portal.App.Control;
using Portal.App.Fleet;
using Portal.App.Hosts;
using Portal.App.Operations;
using Portal.Engine;
using Portal.Engine.Simulated;
using Portal.Kernel;
using Portal.Testing;
using Portal.Testing.Postgres;
using Portal.Testing.Worlds;
using Host = Portal.App.Hosts.Host;

namespace Portal.App.Tests.Fleet;

public sealed class FleetTests(PostgresFixture postgres)
{
    private const string HostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    [Fact]
    public async Task A_host_is_added_with_its_key_its_addresses_and_the_script_for_its_root()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);

        var added = await AddAsync(world, Form("xen1"), ct);

        var host = (await world.Main.Get<GetHost.Handler>().HandleAsync(new(added.Value), world.Administrator, ct)).Value;
        Assert.Equal(("xen1", HostKind.Xen, "127.0.0.1, port 1", "vg0/thin"), (host.Row.Name, host.Row.Kind, host.Row.Place, host.Row.PoolPlace));
        // Neither the gateway, which is among them, nor the broadcast address.
        Assert.Equal(("192.0.2.0/24", 254, 254), (host.Guests[0].Network, host.Guests[0].Free + 1, host.Guests[0].Count + 1));
        var remote = Assert.IsType<GetHost.RemoteHost>(host.Remote);
        Assert.Contains($"instance {host.Instance}\nvg vg0", remote.Installation, StringComparison.Ordinal);
        Assert.Contains((await world.Main.Get<PortalKeys>().PublicAsync(ct)).Line, remote.Installation, StringComparison.Ordinal);
        await using var db = world.Main.Dbs.ForSystem();
        Assert.Equal(1, await db.AuditEntries.CountAsync(e => e.Verb == "host.added" && e.ObjectName == "xen1", ct));
    }

    [Fact]
    public async Task The_portals_key_is_one_for_all_its_processes_and_nowhere_in_the_clear()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        var other = await world.StartProcessAsync(ct);

        var keys = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => (i % 2 == 0 ? world.Main : other).Get<PortalKeys>().PublicAsync(ct)));
        var secret = await other.Get<PortalKeys>().PrivateAsync(ct);

        Assert.Single(keys.Distinct());
        Assert.StartsWith("-----BEGIN EC PRIVATE KEY-----", secret, StringComparison.Ordinal);
        await using var db = world.Main.Dbs.ForSystem();
        var kept = await db.PortalKeys.SingleAsync(ct);
        Assert.DoesNotContain(secret.Split('\n')[1].Trim(), kept.ProtectedPem, StringComparison.Ordinal);
        Assert.Equal(secret, await world.Main.Get<PortalKeys>().PrivateAsync(ct));
    }

    [Theory]
    [InlineData("xen1", "127.0.0.2", "198.51.100.0/24", "name")]
    [InlineData("xen2", "127.0.0.1", "198.51.100.0/24", "address")]
    [InlineData("xen2", "127.0.0.2", "192.0.2.0/24", "firstIp")]
    public async Task No_name_no_machine_and_no_address_belongs_to_two_hosts(string name, string address, string network, string field)
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        Assert.True((await AddAsync(world, Form("xen1"), ct)).Succeeded);

        var second = await AddAsync(world, Form(name, network) with { Address = address }, ct);

        Assert.Equal(("hosts.exists", field), (second.Refusal?.Code, second.Refusal?.Field));
        await using var db = world.Main.Dbs.ForSystem();
        Assert.Equal(1, await db.Hosts.CountAsync(h => h.Kind == HostKind.Xen, ct));
    }

    [Fact]
    public async Task What_stands_against_a_form_is_said_at_its_fields()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        var form = Form("Xen 1") with { Address = "-oProxyCommand=id", Port = 0, VolumeGroup = "vg0;id", ThinPool = "../thin", Bridge = "a bridge too long", Network = "192.0.2.1/24", Gateway = "198.51.100.1", Dns = "?", VcpusPerCpu = 0 };

        var refused = await AddAsync(world, form, ct);

        var refusal = Assert.IsAssignableFrom<Refusal>(refused.Refusal);
        Assert.Equal(
            ["address", "bridge", "dns", "name", "network", "port", "thinPool", "vcpusPerCpu", "volumeGroup"],
            refusal.Also.Append(refusal).Select(r => r.Field).Order(StringComparer.Ordinal));
        Assert.Equal("network", AddHost.Check(Form("xen1") with { Network = "192.0.2.0/33" })?.Field);
        Assert.Equal("lastIp", AddHost.Check(Form("xen1") with { FirstIp = "192.0.2.9", LastIp = "192.0.2.8" })?.Field);
        Assert.Equal("lastIp", AddHost.Check(Form("xen1") with { FirstIp = "192.0.2.254", LastIp = "192.0.2.254" })?.Field);
        Assert.Null(AddHost.Check(Form("xen1") with { Address = "2001:db8::5" }));
        // What the engine would not take as a name, a host does not get.
        Assert.All(["-br", ".br", ".."], name => Assert.Equal("bridge", AddHost.Check(Form("xen1") with { Bridge = name })?.Field));
        Assert.All([".", "..", "-vg"], name => Assert.Equal("volumeGroup", AddHost.Check(Form("xen1") with { VolumeGroup = name })?.Field));
    }

    [Fact]
    public async Task Only_operators_add_change_and_look_at_hosts()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        var host = (await AddAsync(world, Form("xen1"), ct)).Value;
        foreach (var actor in new[] { world.Owner, world.Approver })
        {
            Refusal?[] refusals =
            [
                (await world.Main.Get<AddHost.Handler>().HandleAsync(new(Form("xen2"), HostKey), actor, ct)).Refusal,
                (await world.Main.Get<ChangeHost.Handler>().HandleAsync(new(host, Form("xen1")), actor, ct)).Refusal,
                (await world.Main.Get<LookAtHost.Handler>().HandleAsync(new("127.0.0.1", 1), actor, ct)).Refusal,
                (await world.Main.Get<PinHostKey.Handler>().HandleAsync(new(host, "SHA256:x"), actor, ct)).Refusal,
                (await world.Main.Get<GetHost.Handler>().HandleAsync(new(host), actor, ct)).Refusal,
                (await world.Main.Get<SurveyHost.Handler>().HandleAsync(new(host), actor, ct)).Refusal,
                (await world.Main.Get<ReadHostPaper.Handler>().HandleAsync(new(host, null), actor, ct)).Refusal,
                (await world.Main.Get<ReadDomainLog.Handler>().HandleAsync(new(host, "", DomainLog.Console), actor, ct)).Refusal,
            ];
            Assert.All(refusals, refusal => Assert.IsType<NotAllowed>(refusal));
        }
    }

    [Fact]
    public async Task A_consoles_log_is_read_by_operators_and_its_owner_sees_that_it_was()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        var vm = await world.RunningVmAsync(ct);
        var host = await world.HostAsync(ct);
        var logs = world.Main.Get<ReadDomainLog.Handler>();

        var words = (await logs.HandleAsync(new(host.Id, vm.DomainOn(host).Text, DomainLog.Hypervisor), world.Administrator, ct)).Value;
        var console = (await logs.HandleAsync(new(host.Id, vm.DomainOn(host).Text, DomainLog.Console), world.Administrator, ct)).Value;
        var others = (await logs.HandleAsync(new(host.Id, new DomainName("ffffffff", vm.Id, 1).Text, DomainLog.Console), world.Administrator, ct)).Refusal;

        Assert.Equal((vm.Name, ""), (words.VmName, words.Text));
        Assert.Contains("login: ", console.Text, StringComparison.Ordinal);
        Assert.IsType<NotFound>(others);
        await using var db = world.Main.Dbs.ForSystem();
        var entry = await db.AuditEntries.SingleAsync(e => e.ObjectId == vm.Id.Value && e.Verb == "console.log_read", ct);
        Assert.Equal((vm.TenantId, world.Administrator.Name), (entry.TenantId, entry.ActorName));
    }

    [Fact]
    public async Task A_host_that_cannot_be_reached_says_so_is_never_sold_and_can_be_taken_away()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        var id = (await AddAsync(world, Form("xen1"), ct)).Value;

        await world.Main.Get<HostWatch>().LookAsync(ct);

        var host = (await world.Main.Get<GetHost.Handler>().HandleAsync(new(id), world.Administrator, ct)).Value;
        Assert.Contains("cannot be reached", host.Row.Problem, StringComparison.Ordinal);
        Assert.Null(host.Row.SeenAt);
        Assert.IsType<HostSilent>((await world.Main.Get<SurveyHost.Handler>().HandleAsync(new(id), world.Administrator, ct)).Refusal);
        Assert.Equal("hosts.not_there", (await world.Main.Get<LookAtHost.Handler>().HandleAsync(new("127.0.0.1", 1), world.Administrator, ct)).Refusal?.Code);

        Assert.Equal(0, (await world.Main.Get<WriteOffHost.Handler>().HandleAsync(new(id, "xen1"), world.Administrator, ct)).Value);
        // Name, machine and addresses are free again.
        Assert.True((await AddAsync(world, Form("xen1"), ct)).Succeeded);
    }

    [Fact]
    public async Task Another_key_raises_an_alarm_once_and_is_pinned_only_by_who_has_read_it()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        var id = (await AddAsync(world, Form("xen1"), ct)).Value;
        var shown = PortalKeyPair.New().Public;
        var watch = new HostWatch(world.Main.Dbs, new Impostors(shown), world.Main.Get<BootStarts>(), TimeProvider.System, NullLogger<HostWatch>.Instance);

        await watch.LookAsync(ct);
        await watch.LookAsync(ct);

        await using var db = world.Main.Dbs.ForSystem();
        Assert.Equal(1, await db.AuditEntries.CountAsync(e => e.Verb == "host.key_refused" && e.ObjectId == id.Value, ct));
        var mail = await db.Outbox.SingleAsync(m => m.Subject == "Host xen1 shows another key", ct);
        Assert.Contains(shown.Fingerprint, mail.Body, StringComparison.Ordinal);
        Assert.Equal(shown.Fingerprint, (await world.Main.Get<GetHost.Handler>().HandleAsync(new(id), world.Administrator, ct)).Value.Remote?.ForeignKey);

        var pinning = new PinHostKey.Handler(world.Main.Dbs, world.Main.Get<AccessRules>(), new Door(shown));
        var guess = await pinning.HandleAsync(new(id, "SHA256:whatever"), world.Administrator, ct);
        Assert.Equal(("hosts.other_key", "fingerprint"), (guess.Refusal?.Code, guess.Refusal?.Field));
        Assert.True((await pinning.HandleAsync(new(id, $" {shown.Fingerprint} "), world.Administrator, ct)).Succeeded);
        Assert.True((await pinning.HandleAsync(new(id, shown.Fingerprint), world.Administrator, ct)).Succeeded);

        var after = (await world.Main.Get<GetHost.Handler>().HandleAsync(new(id), world.Administrator, ct)).Value.Remote;
        Assert.Equal((shown.Fingerprint, null), (after?.Fingerprint, after?.ForeignKey));
        Assert.Equal(1, await db.AuditEntries.CountAsync(e => e.Verb == "host.key_pinned" && e.ObjectId == id.Value, ct));
    }

    [Fact]
    public async Task The_shown_key_is_told_as_it_would_be_pinned()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        var shown = PortalKeyPair.New().Public;
        var looking = new LookAtHost.Handler(world.Main.Dbs, new AccessRules(), new Door(shown));

        var key = (await looking.HandleAsync(new("xen1.example.org", 22), Actor.Portal, ct)).Value;
        var hostile = await looking.HandleAsync(new("$(id)", 22), Actor.Portal, ct);

        Assert.Equal(new LookAtHost.ShownKey(shown.Line, "ecdsa-sha2-nistp256", shown.Fingerprint), key);
        Assert.Equal("address", hostile.Refusal?.Field);
        await using var db = world.Main.Dbs.ForSystem();
        Assert.Equal("xen1.example.org, port 22", (await db.AuditEntries.SingleAsync(e => e.Verb == "host.looked_at", ct)).ObjectName);
    }

    [Fact]
    public async Task A_changed_host_is_reached_otherwise_and_keeps_the_pool_that_its_vms_have_their_disks_in()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        var id = (await AddAsync(world, Form("xen1"), ct)).Value;
        var changing = world.Main.Get<ChangeHost.Handler>();

        Assert.True((await changing.HandleAsync(new(id, Form("ignored") with { Address = "127.0.0.9", Port = 2222, ThinPool = "other", ReservedCpus = 2 }), world.Administrator, ct)).Succeeded);

        var changed = (await world.Main.Get<GetHost.Handler>().HandleAsync(new(id), world.Administrator, ct)).Value;
        Assert.Equal(("xen1", "127.0.0.9, port 2222", "vg0/other", 2), (changed.Row.Name, changed.Row.Place, changed.Row.PoolPlace, changed.Reserve.Cpus));
        var vm = await world.RunningVmAsync(ct);
        await world.Database.ExecuteAsync("UPDATE vms SET host_id = $1 WHERE id = $2", ct, id.Value, vm.Id.Value);
        var refused = await changing.HandleAsync(new(id, Form("xen1") with { ThinPool = "third" }), world.Administrator, ct);
        Assert.Equal("hosts.has_disks", refused.Refusal?.Code);
    }

    [Fact]
    public async Task A_host_without_a_thin_pool_has_its_disks_in_the_group_itself()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        var (changing, reading) = (world.Main.Get<ChangeHost.Handler>(), world.Main.Get<GetHost.Handler>());
        var thick = Form("xen1") with { Storage = StorageKind.VolumeGroup, ThinPool = "" };

        var id = (await AddAsync(world, thick, ct)).Value;

        var host = (await reading.HandleAsync(new(id), world.Administrator, ct)).Value;
        Assert.Equal(("vg0", StorageKind.VolumeGroup, null), (host.Row.PoolPlace, host.Remote!.Storage, host.Remote.ThinPool));
        Assert.True((await changing.HandleAsync(new(id, Form("xen1")), world.Administrator, ct)).Succeeded);
        Assert.Equal("vg0/thin", (await reading.HandleAsync(new(id), world.Administrator, ct)).Value.Row.PoolPlace);
        Assert.Equal("thinPool", AddHost.Check(thick with { Storage = StorageKind.ThinPool })?.Field);
        Assert.Equal("storage", AddHost.Check(thick with { Storage = (StorageKind)7 })?.Field);
    }

    [Fact]
    public async Task A_host_may_have_its_disks_as_files_in_a_directory()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        var (changing, reading) = (world.Main.Get<ChangeHost.Handler>(), world.Main.Get<GetHost.Handler>());
        var files = Form("xen1") with { Storage = StorageKind.Directory, Directory = " /srv/portal ", VolumeGroup = "", ThinPool = "", ExtendPool = true, SwapGroup = "vg0" };

        var id = (await AddAsync(world, files, ct)).Value;

        var host = (await reading.HandleAsync(new(id), world.Administrator, ct)).Value;
        Assert.Equal(("/srv/portal", StorageKind.Directory, null, null, false), (host.Row.PoolPlace, host.Remote!.Storage, host.Remote.VolumeGroup, host.Remote.ThinPool, host.Remote.ExtendsPool));
        Assert.Contains("\nvg vg0\ndirectory /srv/portal\nEND-OF-CONF\n", host.Remote.Installation, StringComparison.Ordinal);
        await using (var db = world.Main.Dbs.ForSystem())
        {
            Assert.Equal("/srv/portal", (await db.Pools.SingleAsync(p => p.HostId == id, ct)).Name);
        }

        Assert.True((await changing.HandleAsync(new(id, Form("xen1")), world.Administrator, ct)).Succeeded);
        Assert.Equal("vg0/thin", (await reading.HandleAsync(new(id), world.Administrator, ct)).Value.Row.PoolPlace);
        Assert.True((await changing.HandleAsync(new(id, files), world.Administrator, ct)).Succeeded);
        var vm = await world.RunningVmAsync(ct);
        await world.Database.ExecuteAsync("UPDATE vms SET host_id = $1 WHERE id = $2", ct, id.Value, vm.Id.Value);
        var refused = await changing.HandleAsync(new(id, files with { Directory = "/srv/other" }), world.Administrator, ct);
        Assert.Equal(("hosts.has_disks", "directory"), (refused.Refusal?.Code, refused.Refusal?.Field));
        Assert.All(["", "srv/portal", "/", "/dev/vg0", "/srv/../etc", "/srv/a b", "/srv/a,b", "/srv/a\nvg all", "/" + new string('a', 100)], path => Assert.Equal("directory", AddHost.Check(files with { Directory = path })?.Field));
    }

    [Fact]
    public async Task How_guests_run_that_start_with_a_kernel_is_a_setting_that_a_host_has_to_be_able_to_serve()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        var (changing, reading) = (world.Main.Get<ChangeHost.Handler>(), world.Main.Get<GetHost.Handler>());
        var id = (await AddAsync(world, Form("xen1"), ct)).Value;
        Assert.Equal(KernelGuests.Pv, (await reading.HandleAsync(new(id), world.Administrator, ct)).Value.Remote!.Guests);

        // Nobody has looked at it yet: it says so itself once somebody does.
        Assert.True((await changing.HandleAsync(new(id, Form("xen1") with { Guests = KernelGuests.Pvh }), world.Administrator, ct)).Succeeded);

        await using var db = world.Main.Dbs.ForSystem();
        Assert.Equal(KernelGuests.Pvh, (await db.Hosts.AsNoTracking().SingleAsync(h => h.Id == id, ct)).Xen!.Guests);
        Assert.Contains("kernels start Pvh", (await db.AuditEntries.SingleAsync(e => e.Verb == "host.changed", ct)).Details, StringComparison.Ordinal);

        await world.Database.ExecuteAsync("UPDATE hosts SET guests = 'Pv', kernel_guests = 'Pv' WHERE id = $1", ct, id.Value);
        var refused = (await changing.HandleAsync(new(id, Form("xen1") with { Guests = KernelGuests.Pvh }), world.Administrator, ct)).Refusal;
        Assert.Equal(("hosts.cannot_run", "guests"), (refused?.Code, refused?.Field));
        Assert.Contains("VT-x", refused?.Message, StringComparison.Ordinal);
        await world.Database.ExecuteAsync("UPDATE hosts SET guests = 'Pvh, Hvm', kernel_guests = 'Pvh' WHERE id = $1", ct, id.Value);
        Assert.IsType<HostCannotRun>((await changing.HandleAsync(new(id, Form("xen1")), world.Administrator, ct)).Refusal);
        // What it is set to already stands against no other change.
        await world.Database.ExecuteAsync("UPDATE hosts SET guests = 'Pv' WHERE id = $1", ct, id.Value);
        Assert.True((await changing.HandleAsync(new(id, Form("xen1") with { Guests = KernelGuests.Pvh, ReservedCpus = 1 }), world.Administrator, ct)).Succeeded);
        Assert.Equal("guests", AddHost.Check(Form("xen1") with { Guests = (KernelGuests)7 })?.Field);
    }

    [Fact]
    public async Task Swap_volumes_have_a_group_of_their_own_which_the_host_lets_the_portal_use()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        var (changing, reading) = (world.Main.Get<ChangeHost.Handler>(), world.Main.Get<GetHost.Handler>());
        var id = (await AddAsync(world, Form("xen1") with { ExtendPool = true }, ct)).Value;
        var vm = await world.RunningVmAsync(ct);
        await world.Database.ExecuteAsync("UPDATE vms SET host_id = $1 WHERE id = $2", ct, id.Value, vm.Id.Value);
        var before = (await reading.HandleAsync(new(id), world.Administrator, ct)).Value.Remote!;
        Assert.True(before.ExtendsPool);
        Assert.Contains("vg vg0\npool vg0/thin\n", before.Installation, StringComparison.Ordinal);

        // What is there stays where it is; what is made from now on goes there.
        Assert.True((await changing.HandleAsync(new(id, Form("xen1") with { SwapGroup = " vgswap " }), world.Administrator, ct)).Succeeded);

        var host = (await reading.HandleAsync(new(id), world.Administrator, ct)).Value.Remote!;
        Assert.Equal("vgswap", host.SwapGroup);
        Assert.Contains("vg vg0\nvg vgswap\n", host.Installation, StringComparison.Ordinal);
        var refused = (await changing.HandleAsync(new(id, Form("xen1")), world.Administrator, ct)).Refusal;
        Assert.Equal(("hosts.has_disks", "swapGroup"), (refused?.Code, refused?.Field));
        Assert.All(["vg0", "-vg", "a b"], name => Assert.Equal("swapGroup", AddHost.Check(Form("xen1") with { SwapGroup = name })?.Field));
    }

    [Fact]
    public async Task The_hosts_own_disks_that_guests_may_get_are_named_one_by_one()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        var id = (await AddAsync(world, Form("xen1") with { Devices = ["/dev/sdb1", "/dev/disk/by-id/scsi-0:1"] }, ct)).Value;

        var host = (await world.Main.Get<GetHost.Handler>().HandleAsync(new(id), world.Administrator, ct)).Value.Remote!;

        Assert.Equal(["/dev/sdb1", "/dev/disk/by-id/scsi-0:1"], host.Devices);
        Assert.Contains("vg vg0\ndevice /dev/sdb1\ndevice /dev/disk/by-id/scsi-0:1\n", host.Installation, StringComparison.Ordinal);
        Assert.All(["/dev/sdb1,w", "/dev/../etc", "/dev/", "sdb1", "/dev/sdb1\n"], path => Assert.Equal("devices", AddHost.Check(Form("xen1") with { Devices = [path] })?.Field));
        Assert.Equal("devices", AddHost.Check(Form("xen1") with { Devices = ["/dev/sdb1", "/dev/sdb1"] })?.Field);
    }

    [Fact]
    public async Task Storage_that_fills_up_is_said_once_a_day_and_extended_where_the_host_is_set_so()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        var host = await world.HostAsync(ct);
        var watch = world.Main.Get<HostWatch>();
        world.Faults.Shape = new SimulatedShape { PoolMiB = 1000 << 10, PoolFills = true };

        await watch.LookAsync(ct);
        await watch.LookAsync(ct);

        Assert.Contains("nearly full", (await world.HostAsync(ct)).Warning, StringComparison.Ordinal);
        await using var db = world.Main.Dbs.ForSystem();
        var mail = await db.Outbox.SingleAsync(m => m.Subject == $"Storage of host {host.Name} is nearly full", ct);
        Assert.Contains("Extend it.", mail.Body, StringComparison.Ordinal);
        Assert.Equal(1, await db.AuditEntries.CountAsync(e => e.Verb == "host.filling", ct));

        await world.Database.ExecuteAsync("UPDATE hosts SET extends_pool = true WHERE id = $1", ct, host.Id.Value);
        await watch.LookAsync(ct);
        await watch.LookAsync(ct);

        Assert.Null((await world.HostAsync(ct)).Warning);
        Assert.Equal(1, await db.AuditEntries.CountAsync(e => e.Verb == "host.pool_extended" && e.Details.Contains("->"), ct));
        Assert.Equal(1, await db.Outbox.CountAsync(m => m.Subject.StartsWith("Storage of host"), ct));
    }

    [Fact]
    public async Task In_maintenance_what_is_asked_of_a_vm_waits_and_says_why()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        var vm = await world.RunningVmAsync(ct);
        var host = await world.HostAsync(ct);
        Assert.True((await world.Main.Get<ChangeHostMode.Handler>().HandleAsync(new(host.Id, HostMode.Maintenance), world.Administrator, ct)).Succeeded);

        var operation = (await world.AskAsync(vm, OperationKind.PowerOff, ct)).Value;
        await world.Main.RunRungAsync(ct);

        var rests = await world.LastOperationAsync(vm.Id, ct);
        Assert.Equal((OperationState.Waiting, true), (rests.State, rests.Rests));
        Assert.Contains("is in maintenance", rests.Problem, StringComparison.Ordinal);
        Assert.Equal("ordering.no_host_fits", (await world.Main.Get<App.Ordering.PlaceOrder.Handler>().HandleAsync(new(world.Tenant, await world.FormAsync("later", ct), "later"), world.Owner, ct)).Refusal?.Code);
        Assert.True((await world.Main.Get<ChangeHostMode.Handler>().HandleAsync(new(host.Id, HostMode.InUse), world.Administrator, ct)).Succeeded);
        await world.EndRestAsync(operation, ct);
        await world.Main.RunAsync(operation, ct);
        Assert.Equal(OperationState.Succeeded, (await world.LastOperationAsync(vm.Id, ct)).State);
    }

    [Fact]
    public async Task A_host_works_on_no_more_at_a_time_than_it_may_whoever_asks_and_the_next_begins_when_one_ends()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        var other = await world.StartProcessAsync(ct);
        var vms = (await world.OrderAndApproveAsync(ct, "many", count: 6)).Select(v => v.Id).ToList();
        await world.Database.ExecuteAsync("UPDATE hosts SET max_operations = 2", ct);
        await using var db = world.Main.Dbs.ForSystem();
        var operations = await db.Operations.Where(o => vms.Contains(o.VmId)).OrderBy(o => o.CreatedAt).ThenBy(o => o.Id).Select(o => o.Id).ToListAsync(ct);
        world.Faults.Arm(SimulatedVerb.EnsureRootDisk, SimulatedMoment.Before, SimulatedFault.Hang);
        world.Faults.Arm(SimulatedVerb.EnsureRootDisk, SimulatedMoment.Before, SimulatedFault.Hang);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);

        // Two hang on the host; the others ask on two replicas at once.
        var hanging = Task.WhenAll(operations.Take(2).Select(o => world.Main.RunAsync(o, stop.Token)));
        await Eventually.IsAsync(async () => await OwnedAsync() == 2, ct);
        await Task.WhenAll(operations.Skip(2).Select((o, i) => (i % 2 == 0 ? world.Main : other).RunAsync(o, ct)));

        Assert.Equal(2, await OwnedAsync());
        var waiting = await db.Operations.AsNoTracking().Where(o => operations.Skip(2).Contains(o.Id)).ToListAsync(ct);
        Assert.All(waiting, o => Assert.Contains("works on 2 operations", o.Problem, StringComparison.Ordinal));

        // Who does not get a place rings for nobody.
        while (world.Main.Jobs.TryAnswer(out _))
        {
            // What was rung for by the approval.
        }

        foreach (var operation in operations.Skip(2))
        {
            await world.Main.Get<RunOperation>().RunAsync(operation.Value, ct);
        }

        Assert.False(world.Main.Jobs.TryAnswer(out _));

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => hanging);
        // Who waits longest is rung for when one has ended.
        Assert.Equal(operations[2], await world.Main.Get<OperationRunner>().NextBesideAsync(operations[0], ct));
        foreach (var operation in operations)
        {
            await world.EndRestAsync(operation, ct);
            await other.RunAsync(operation, ct);
        }

        Assert.All(await db.Operations.AsNoTracking().Where(o => operations.Contains(o.Id)).ToListAsync(ct), o => Assert.Equal((OperationState.Succeeded, null), (o.State, o.Problem)));

        Task<int> OwnedAsync() => db.Operations.AsNoTracking().CountAsync(o => o.FinishedAt == null && o.Owner != null, ct);
    }

    [Fact]
    public void What_a_host_keeps_for_itself_is_not_sold()
    {
        var host = new Host("xen1", "0badcafe", new XenAccess("xen1", 22, PortalKeyPair.New().Public, "vg0", "thin", "xenbr0"), new HostReserve(ByteSize.FromGiB(2), ByteSize.Zero, 2, 4));

        host.Saw(new HostReport { Hypervisor = "Xen", HardwareVirtualisation = true, Cpus = 8, Memory = ByteSize.FromGiB(16), PoolSize = ByteSize.Zero, PoolFree = ByteSize.Zero, PoolTaken = ByteSize.Zero, Findings = [] }, DateTimeOffset.UnixEpoch);

        Assert.Equal((24, ByteSize.FromGiB(14)), (host.SellableVcpus, host.SellableMemory));
    }

    private static HostForm Form(string name, string network = "192.0.2.0/24")
    {
        var start = network[..(network.LastIndexOf('.') + 1)];
        return new HostForm
        {
            Name = name,
            Address = "127.0.0.1",
            Port = 1,
            VolumeGroup = "vg0",
            ThinPool = "thin",
            Bridge = "xenbr0",
            Network = network,
            FirstIp = start + "1",
            LastIp = start + "255",
            Gateway = start + "254",
            Dns = "9.9.9.9",
        };
    }

    private static Task<Result<HostId>> AddAsync(PortalWorld world, HostForm form, CancellationToken ct) => world.Main.Get<AddHost.Handler>().HandleAsync(new(form, HostKey), world.Administrator, ct);

    private sealed class Door(SshPublicKey shows) : IHostDoor
    {
        public Task<SshPublicKey> KeyOfAsync(string address, int port, SshPublicKey? pinned, CancellationToken ct) => Task.FromResult(shows);

        public string Installation(string instance, IReadOnlyList<string> volumeGroups, SshPublicKey key, string? pool = null, IReadOnlyList<string>? devices = null, string? directory = null) => "";
    }

    private sealed class Impostors(SshPublicKey shows) : IVmEngines
    {
        public IVmEngine For(HostConnection host) => throw (host.Xen is { } xen ? new HostKeyChangedException(xen.Address, xen.Key.Fingerprint, shows.Fingerprint) : new HostFaultException("It is not asked here."));
    }
}
