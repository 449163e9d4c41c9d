using Microsoft.EntityFrameworkCore;
using Portal.App.Catalogue;
using Portal.App.Hosts;
using Portal.App.Operations;
using Portal.App.Ordering;
using Portal.App.Templates;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Kernel;
using Portal.Testing.Postgres;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Templates;

public sealed class AddNfsTemplateTests(PostgresFixture postgres)
{
    private static readonly AddNfsTemplate.Request s_diskless = new("diskless", "Diskless Debian", "Its root is on a server.", "As root.", 256, "192.0.2.10", "/srv/roots/debian", Writable: false);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_VM_whose_root_is_on_a_server_is_ordered_built_moved_and_deleted_and_takes_no_disk()
    {
        await using var world = await PortalWorld.CreateAsync(postgres, Ct);
        Assert.True((await AddAsync(world, s_diskless)).Succeeded);
        await world.Main.Get<ImageBuilds>().BuildMissingAsync(new HashSet<(PoolId, TemplateVersionId)>(), Ct);
        await using var db = world.Main.Dbs.ForSystem();
        var form = await FormAsync(db);

        var preview = (await world.Main.Get<PreviewOrder.Handler>().HandleAsync(new(world.Tenant, form), world.Owner, Ct)).Value;
        Assert.Empty(preview.Problems);
        Assert.Equal((ByteSize.Zero, 1), (preview.Asked.Disk, preview.Asked.Vms));
        var order = (await world.Main.Get<PlaceOrder.Handler>().HandleAsync(new(world.Tenant, form, "k"), world.Owner, Ct)).Value.Order;
        Assert.Null((await world.Main.Get<DecideOrder.Handler>().HandleAsync(new(order, Verdict.Approve, ""), world.Approver, Ct)).Refusal);
        await world.Main.RunRungAsync(Ct);

        var vm = await db.Vms.AsNoTracking().SingleAsync(Ct);
        Assert.Equal((VmStage.Ready, DomainState.Running, ByteSize.Zero), (vm.Stage, vm.Seen, vm.Disk));
        var other = await world.AddHostAsync("other", "0badbeef", Ct);
        var moved = await world.DoAsync(vm, OperationKind.Move, Ct);
        Assert.Equal((OperationState.Succeeded, null), (moved.State, moved.Problem));
        vm = await world.VmAsync(vm.Id, Ct);
        Assert.Equal((other.Id, DomainState.Running), (vm.HostId, vm.Seen));
        Assert.Equal(OperationState.Succeeded, (await world.DoAsync(vm, OperationKind.Delete, Ct)).State);
        Assert.Empty(await world.EngineOf(other).ListVolumesAsync(Ct));
    }

    [Fact]
    public async Task What_is_meant_stands_in_the_version_and_a_later_one_leaves_the_earlier_as_it_is()
    {
        await using var world = await PortalWorld.CreateAsync(postgres, Ct);
        await AddAsync(world, s_diskless);
        await AddAsync(world, s_diskless with { Name = "Diskless 2", Server = " 192.0.2.11 ", Path = "/srv/own/%s", Writable = true });

        await using var db = world.Main.Dbs.ForSystem();
        var template = await db.Templates.AsNoTracking().SingleAsync(t => t.Slug == "diskless", Ct);
        Assert.Equal(("Diskless 2", true, ByteSize.Zero), (template.Name, template.Offered, template.MinDisk));
        var versions = await db.TemplateVersions.AsNoTracking().Where(v => v.TemplateId == template.Id).OrderBy(v => v.Id).ToListAsync(Ct);
        Assert.Equal([new NfsRoot("192.0.2.10", "/srv/roots/debian", writable: false), new NfsRoot("192.0.2.11", "/srv/own/%s", writable: true)], versions.Select(v => v.Image.Nfs));
        var audit = await db.AuditEntries.Where(e => e.ObjectId == template.Id.Value).OrderBy(e => e.Id).ToListAsync(Ct);
        Assert.Equal(["template.created", "template.version_added", "template.version_added"], audit.Select(e => e.Verb));
        Assert.Equal("192.0.2.11:/srv/own/%s, written to", audit[2].Details);

        // Where it is, is the provider's affair alone.
        var lists = world.Main.Get<ListTemplates.Handler>();
        Assert.NotNull((await lists.HandleAsync(new(OfferedOnly: false), world.Administrator, Ct)).Value.Single(t => t.Slug == "diskless").Nfs);
        var row = (await lists.HandleAsync(new(OfferedOnly: true), world.Owner, Ct)).Value.Single(t => t.Slug == "diskless");
        Assert.Equal((true, null, FirstBoot.Unknown), (row.OnNfs, row.Nfs, row.FirstBoot));
    }

    [Fact]
    public async Task A_name_that_is_another_kind_of_template_and_people_who_keep_none_are_refused()
    {
        await using var world = await PortalWorld.CreateAsync(postgres, Ct);

        Assert.IsType<NotOnNfs>((await AddAsync(world, s_diskless with { Slug = "tiny-linux" })).Refusal);
        Assert.IsType<NotOnNfs>((await AddAsync(world, s_diskless with { Slug = "debian-13" })).Refusal);
        Assert.NotNull((await world.Main.Get<AddNfsTemplate.Handler>().HandleAsync(s_diskless, world.Owner, Ct)).Refusal);

        await AddAsync(world, s_diskless);
        Assert.IsType<NotImported>((await world.Main.Get<ImportTemplate.Handler>().HandleAsync(
            new("diskless", "x", "", "x", 512, 10, ImageFormat.Qcow2, ImagePacking.None, ImageBoot.Disk, "https://images.example/x", null, null), world.Administrator, Ct)).Refusal);
    }

    [Fact]
    public async Task Hosts_whose_guests_a_server_cannot_tell_apart_get_none()
    {
        await using var world = await PortalWorld.CreateAsync(postgres, Ct);
        await AddAsync(world, s_diskless);
        await world.Database.ExecuteAsync("UPDATE hosts SET kind = 'LocalLibvirt'", Ct);
        await using var db = world.Main.Dbs.ForSystem();

        var refused = (await world.Main.Get<PlaceOrder.Handler>().HandleAsync(new(world.Tenant, await FormAsync(db), "k"), world.Owner, Ct)).Refusal;

        Assert.IsType<NoHostBootsNfs>(refused);
    }

    [Fact]
    public void Each_field_is_judged_by_itself()
    {
        Assert.Null(AddNfsTemplate.Complaint(s_diskless));
        var refusal = AddNfsTemplate.Complaint(new("../x", "", new string('x', 1001), "", 1, "nfs.example", "/srv/../x", Writable: false));
        Assert.All(["slug", "name", "description", "signIn", "minMemoryMiB", "server", "path"], field => Assert.NotNull(refusal?.On(field)));
        Assert.Equal((null, true), (AddNfsTemplate.Complaint(s_diskless with { Writable = true })?.On("server"), AddNfsTemplate.Complaint(s_diskless with { Writable = true })?.On("path") is not null));
    }

    private static Task<Result<TemplateId>> AddAsync(PortalWorld world, AddNfsTemplate.Request request) => world.Main.Get<AddNfsTemplate.Handler>().HandleAsync(request, world.Administrator, Ct);

    private static async Task<OrderForm> FormAsync(PortalDb db) =>
        new([new LineForm(await db.Templates.Where(t => t.Slug == "diskless").Select(t => t.Id).SingleAsync(Ct), await db.Plans.Where(p => p.Name == "S").Select(p => p.Id).SingleAsync(Ct), "node-1", 1, [PortalWorld.SshKey])], "");
}
