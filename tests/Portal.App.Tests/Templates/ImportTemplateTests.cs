using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.App.Access;
using Portal.App.Catalogue;
using Portal.App.Control;
using Portal.App.Hosts;
using Portal.App.Operations;
using Portal.App.Templates;
using Portal.Engine;
using Portal.Engine.Simulated;
using Portal.Kernel;
using Portal.Testing.Postgres;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Templates;

public sealed class ImportTemplateTests(PostgresFixture postgres)
{
    private static readonly ImportTemplate.Request s_alma = new(
        "alma-10", "Alma 10", "Brought along.", "As almalinux with your key.", 512, 10, ImageFormat.Qcow2, ImagePacking.None, ImageBoot.Disk, "https://images.example/alma.qcow2?signature=secret", null, "");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_image_is_imported_tested_by_its_login_prompt_and_offered_with_what_was_said_of_it()
    {
        await using var world = await PortalWorld.CreateAsync(postgres, Ct);
        var workshop = new Workshop();
        Assert.True((await AskAsync(world, workshop, s_alma)).Succeeded);
        await using var db = world.Main.Dbs.ForSystem();
        Assert.False((await db.Templates.AsNoTracking().SingleAsync(t => t.Slug == "alma-10", Ct)).Offered);

        await Builds(world.Main, workshop).RunNextAsync(Ct);

        var build = Assert.Single(await ListAsync(world));
        Assert.Equal((TemplateBuildState.Done, null), (build.State, build.Problem));
        Assert.Contains("taking it apart", build.Log, StringComparison.Ordinal);
        // Nobody signed in: twice the prompt is the answer.
        Assert.Equal(3, build.Log.Split("template-test login: ").Length);
        Assert.DoesNotContain("root@", build.Log, StringComparison.Ordinal);
        Assert.Equal((ImageFormat.Qcow2, ImageBoot.Disk, ByteSize.FromGiB(10), null), (workshop.Import!.Format, workshop.Import.Boot, workshop.Import.Disk, workshop.Import.Sha256));
        var template = await db.Templates.AsNoTracking().SingleAsync(t => t.Slug == "alma-10", Ct);
        Assert.True(template.Offered);
        Assert.Equal((ByteSize.FromMiB(512), ByteSize.FromGiB(10)), (template.MinMemory, template.MinDisk));
        var version = await db.TemplateVersions.InOrderOfChoice(template.Id).FirstAsync(Ct);
        Assert.Equal((ImageBoot.Disk, new TemplateImage("alma-10", version.Version) { Boot = ImageBoot.Disk }), (version.Boot, version.Image));
        var audit = await db.AuditEntries.Where(e => e.ObjectId == template.Id.Value).OrderBy(e => e.Id).ToListAsync(Ct);
        Assert.Equal(["template.created", "template.import_asked", "template.version_offered"], audit.Select(e => e.Verb));
        // What signs an address stays out of what all operators read.
        Assert.Equal("https://images.example/alma.qcow2", audit[1].Details);

        await world.Main.Get<ImageBuilds>().BuildMissingAsync(new HashSet<(PoolId, TemplateVersionId)>(), Ct);
        Assert.Equal(2, await db.PoolImages.CountAsync(i => i.State == PoolImageState.Ready, Ct));
        var row = (await world.Main.Get<ListTemplates.Handler>().HandleAsync(new(OfferedOnly: true), world.Owner, Ct)).Value.Single(t => t.Slug == "alma-10");
        // It took its name from the seed, so it has something that reads one.
        Assert.Equal((ImageBoot.Disk, FirstBoot.CloudInit), (row.Boot, row.FirstBoot));

        await world.Database.ExecuteAsync("UPDATE templates SET slug = 'debian-13' WHERE slug = 'alma-10'", Ct);
        Assert.IsType<ImportedAlready>((await world.Main.Get<BuildTemplate.Handler>().HandleAsync(new("trixie"), world.Administrator, Ct)).Refusal);
    }

    [Fact]
    public async Task Without_a_host_that_starts_it_it_is_not_offered_and_that_is_what_is_said()
    {
        await using var world = await PortalWorld.CreateAsync(postgres, Ct);
        var workshop = new Workshop();
        world.Faults.Shape = new SimulatedShape { BootsDisks = false };
        await world.Main.Get<HostWatch>().LookAsync(Ct);
        await AskAsync(world, workshop, s_alma);

        await Builds(world.Main, workshop).RunNextAsync(Ct);

        var build = Assert.Single(await ListAsync(world));
        Assert.Equal(TemplateBuildState.Failed, build.State);
        Assert.Contains("No host that starts guests from their own disk", build.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_version_changes_what_is_said_only_when_it_has_passed_and_a_name_of_the_portals_own_is_not_taken()
    {
        await using var world = await PortalWorld.CreateAsync(postgres, Ct);
        var workshop = new Workshop();
        await AskAsync(world, workshop, s_alma);
        Assert.IsType<BuildUnderWay>((await AskAsync(world, workshop, s_alma)).Refusal);
        await Builds(world.Main, workshop).RunNextAsync(Ct);

        await AskAsync(world, workshop, s_alma with { Name = "Alma 10.1", MinDiskGiB = 20 });
        await Builds(world.Main, new Workshop { Refusal = new ImageRefused("It is no qcow2 image.") }).RunNextAsync(Ct);

        await using var db = world.Main.Dbs.ForSystem();
        var template = await db.Templates.AsNoTracking().SingleAsync(t => t.Slug == "alma-10", Ct);
        Assert.Equal(("Alma 10", ByteSize.FromGiB(10), true), (template.Name, template.MinDisk, template.Offered));
        Assert.Contains("no qcow2", (await ListAsync(world))[0].Problem!, StringComparison.Ordinal);

        await AskAsync(world, workshop, s_alma with { Name = "Alma 10.1", MinDiskGiB = 20 });
        await Builds(world.Main, workshop).RunNextAsync(Ct);

        template = await db.Templates.AsNoTracking().SingleAsync(t => t.Slug == "alma-10", Ct);
        Assert.Equal(("Alma 10.1", ByteSize.FromGiB(20), true), (template.Name, template.MinDisk, template.Offered));
        Assert.IsType<NotImported>((await AskAsync(world, workshop, s_alma with { Slug = "tiny-linux" })).Refusal);
    }

    [Fact]
    public async Task An_upload_is_kept_while_its_import_waits_and_goes_with_it()
    {
        await using var world = await PortalWorld.CreateAsync(postgres, Ct);
        var workshop = new Workshop();
        var upload = new UploadImage.Handler(world.Main.Dbs, world.Main.Get<AccessRules>(), workshop);
        var first = (await upload.HandleAsync(new(new MemoryStream(new byte[1000])), world.Administrator, Ct)).Value;
        Assert.Equal(new ByteSize(1000), first.Size);
        var alma = s_alma with { Address = null, Upload = first.Id };
        Assert.True((await AskAsync(world, workshop, alma)).Succeeded);

        await upload.HandleAsync(new(new MemoryStream(new byte[10])), world.Administrator, Ct);
        Assert.Equal([first.Id], workshop.Needed);

        await Builds(world.Main, workshop).RunNextAsync(Ct);
        Assert.Equal(first.Id, workshop.Import!.Upload);
        Assert.False(workshop.HasUpload(first.Id));
        Assert.IsType<UploadMissing>((await AskAsync(world, workshop, alma)).Refusal);
        await using var db = world.Main.Dbs.ForSystem();
        Assert.Equal(2, await db.AuditEntries.CountAsync(e => e.Verb == "template.image_uploaded", Ct));
    }

    [Fact]
    public async Task An_import_whose_portal_died_is_taken_over()
    {
        await using var world = await PortalWorld.CreateAsync(postgres, Ct);
        var hanging = new Workshop { Hang = new TaskCompletionSource() };
        await AskAsync(world, hanging, s_alma);
        var first = Builds(world.Main, hanging).RunNextAsync(Ct);
        await hanging.Asked.Task;
        await using var other = await world.StartProcessAsync(Ct);

        await world.Main.KillAsync(Ct);
        var workshop = new Workshop();
        await Builds(other, workshop).RunNextAsync(Ct);

        Assert.Equal("https://images.example/alma.qcow2?signature=secret", workshop.Import!.Address);
        Assert.Equal(TemplateBuildState.Done, (await ListAsync(world, other))[0].State);
        hanging.Hang.SetResult();
        await Assert.ThrowsAnyAsync<Exception>(() => first);
    }

    [Fact]
    public async Task A_tenant_imports_and_uploads_nothing()
    {
        await using var world = await PortalWorld.CreateAsync(postgres, Ct);
        var workshop = new Workshop();

        Assert.Equal(RefusalKind.Forbidden, (await new ImportTemplate.Handler(world.Main.Dbs, world.Main.Get<AccessRules>(), workshop).HandleAsync(s_alma, world.Owner, Ct)).Refusal!.Kind);
        Assert.Equal(RefusalKind.Forbidden, (await new UploadImage.Handler(world.Main.Dbs, world.Main.Get<AccessRules>(), workshop).HandleAsync(new(Stream.Null), world.Owner, Ct)).Refusal!.Kind);
        Assert.Empty(workshop.Uploads);
    }

    [Fact]
    public void What_was_typed_is_judged_field_by_field()
    {
        Assert.Null(ImportTemplate.Complaint(s_alma));
        Assert.Null(ImportTemplate.Complaint(s_alma with { Address = "http://images.example/a", Sha256 = new string('A', 64) }));
        Assert.Null(ImportTemplate.Complaint(s_alma with { Address = null }, uploads: true));

        foreach (var (request, field) in new[]
        {
            (s_alma with { Slug = "../etc" }, "slug"), (s_alma with { Slug = new string('a', 31) }, "slug"), (s_alma with { Name = " " }, "name"), (s_alma with { SignIn = "" }, "signIn"),
            (s_alma with { MinMemoryMiB = 0 }, "minMemoryMiB"), (s_alma with { MinDiskGiB = long.MaxValue }, "minDiskGiB"), (s_alma with { Format = (ImageFormat)9 }, "format"), (s_alma with { Packing = (ImagePacking)9 }, "packing"),
            (s_alma with { Format = ImageFormat.Tar }, "boot"), (s_alma with { Address = null }, "address"), (s_alma with { Upload = Guid.CreateVersion7() }, "upload"), (s_alma with { Address = "http://images.example/a" }, "address"),
            (s_alma with { Address = "file:///etc/passwd" }, "address"), (s_alma with { Sha256 = "abc" }, "sha256"),
        })
        {
            Assert.NotNull(ImportTemplate.Complaint(request)?.On(field));
        }
    }

    private static Task<Result<TemplateBuildId>> AskAsync(PortalWorld world, Workshop workshop, ImportTemplate.Request request) =>
        new ImportTemplate.Handler(world.Main.Dbs, world.Main.Get<AccessRules>(), workshop).HandleAsync(request, world.Administrator, Ct);

    private static async Task<IReadOnlyList<TemplateBuildRow>> ListAsync(PortalWorld world, WorldProcess? process = null) =>
        (await (process ?? world.Main).Get<ListTemplateBuilds.Handler>().HandleAsync(new(), world.Administrator, Ct)).Value;

    private static TemplateBuilds Builds(WorldProcess process, IImageWorkshop workshop) => new(
        process.Dbs, workshop, process.Get<IVmEngines>(), process.Get<ProcessLease>(), process.Get<TimeProvider>(), NullLogger<TemplateBuilds>.Instance);

    private sealed class Workshop : IImageWorkshop
    {
        public Refusal? Refusal { get; init; }

        public TaskCompletionSource? Hang { get; init; }

        public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ImageImport? Import { get; private set; }

        public HashSet<Guid> Uploads { get; } = [];

        public IReadOnlySet<Guid> Needed { get; private set; } = new HashSet<Guid>();

        public Task<Result<StepOutcome>> EnsureDebianAsync(TemplateImage image, string release, Action<string> heard, CancellationToken ct) => throw new NotSupportedException();

        public async Task<Result<StepOutcome>> EnsureImportedAsync(TemplateImage image, ImageImport import, Action<string> heard, CancellationToken ct)
        {
            Import = import;
            heard("taking it apart\n");
            Asked.TrySetResult();
            await (Hang?.Task ?? Task.CompletedTask);
            return Refusal is { } no ? no : StepOutcome.Changed;
        }

        public Task<Result<ByteSize>> KeepUploadAsync(Guid upload, Stream content, IReadOnlySet<Guid> needed, Action<ByteSize> taken, CancellationToken ct)
        {
            Uploads.Add(upload);
            Needed = needed;
            taken(new ByteSize(content.Length));
            return Task.FromResult(Result<ByteSize>.Of(new ByteSize(content.Length)));
        }

        public Task<bool> HasDebianAsync(string release, CancellationToken ct) => Task.FromResult(release == "bookworm");

        public bool HasUpload(Guid upload) => Uploads.Contains(upload);

        public void DropUpload(Guid upload) => Uploads.Remove(upload);

        public void SweepUploads(IReadOnlySet<Guid> needed) => Needed = needed;

        public List<TemplateImage> Forgotten { get; } = [];

        public void Forget(TemplateImage image) => Forgotten.Add(image);
    }
}
