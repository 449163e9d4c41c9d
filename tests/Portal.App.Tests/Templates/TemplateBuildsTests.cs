using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.App.Access;
using Portal.App.Catalogue;
using Portal.App.Hosts;
using Portal.App.Operations;
using Portal.App.Templates;
using Portal.Engine;
using Portal.Engine.Simulated;
using Portal.Kernel;
using Portal.Testing.Postgres;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Templates;

public sealed class TemplateBuildsTests(PostgresFixture postgres)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_version_is_built_tested_on_a_host_and_offered_and_nothing_of_the_test_stays()
    {
        await using var world = await PortalWorld.CreateAsync(postgres, Ct);
        var before = Directory.GetFiles(world.Pool, "*", SearchOption.AllDirectories).Where(f => f.Contains("/disks/", StringComparison.Ordinal) || f.Contains("/seeds/", StringComparison.Ordinal)).ToList();
        Assert.True((await AskAsync(world)).Succeeded);

        await Builds(world.Main, new Workshop()).RunNextAsync(Ct);

        var build = Assert.Single(await ListAsync(world));
        Assert.Equal((TemplateBuildState.Done, null), (build.State, build.Problem));
        Assert.Contains("fetching", build.Log, StringComparison.Ordinal);
        Assert.Contains("template-test login: ", build.Log, StringComparison.Ordinal);
        Assert.Contains("root@template-test:", build.Log, StringComparison.Ordinal);
        await using var db = world.Main.Dbs.ForSystem();
        var template = await db.Templates.SingleAsync(t => t.Slug == "debian-12", Ct);
        Assert.True(template.Offered);
        Assert.NotNull((await db.TemplateVersions.InOrderOfChoice(template.Id).FirstAsync(Ct)).ReleasedAt);
        Assert.Equal(["template.build_asked", "template.version_offered"], await db.AuditEntries.Where(e => e.Verb == "template.build_asked" || e.Verb == "template.version_offered").OrderBy(e => e.Id).Select(e => e.Verb).ToListAsync(Ct));
        var host = await db.Hosts.SingleAsync(Ct);
        Assert.Empty(await world.Main.Get<IVmEngines>().For(host.Connection).ListDomainsAsync(Ct));
        Assert.Equal(before, Directory.GetFiles(world.Pool, "*", SearchOption.AllDirectories).Where(f => f.Contains("/disks/", StringComparison.Ordinal) || f.Contains("/seeds/", StringComparison.Ordinal)));

        // And from then on it comes to every host.
        await world.Main.Get<ImageBuilds>().BuildMissingAsync(new HashSet<(PoolId, TemplateVersionId)>(), Ct);
        Assert.Equal(2, await db.PoolImages.CountAsync(i => i.State == PoolImageState.Ready, Ct));
    }

    [Fact]
    public async Task A_version_that_was_not_tested_comes_to_no_host_and_another_build_waits_for_its_end()
    {
        await using var world = await PortalWorld.CreateAsync(postgres, Ct);
        await AskAsync(world);

        await world.Main.Get<ImageBuilds>().BuildMissingAsync(new HashSet<(PoolId, TemplateVersionId)>(), Ct);
        var second = await AskAsync(world);

        Assert.IsType<BuildUnderWay>(second.Refusal);
        await using var db = world.Main.Dbs.ForSystem();
        Assert.Equal(1, await db.PoolImages.CountAsync(Ct));
        Assert.False((await db.Templates.SingleAsync(t => t.Slug == "debian-12", Ct)).Offered);
    }

    [Fact]
    public async Task A_build_or_a_test_that_fails_says_why_and_offers_nothing()
    {
        await using var world = await PortalWorld.CreateAsync(postgres, Ct);
        await AskAsync(world);
        await Builds(world.Main, new Workshop { Refusal = new TemplateMissing("a mirror") }).RunNextAsync(Ct);
        await AskAsync(world);
        world.Refusals[SimulatedVerb.EnsureRunning] = new TemplateMissing("a kernel");

        await Builds(world.Main, new Workshop()).RunNextAsync(Ct);

        var builds = await ListAsync(world);
        Assert.All(builds, build => Assert.Equal(TemplateBuildState.Failed, build.State));
        Assert.Contains("a kernel", builds[0].Problem!, StringComparison.Ordinal);
        Assert.Contains("a mirror", builds[1].Problem!, StringComparison.Ordinal);
        Assert.EndsWith(".2", builds[0].Name, StringComparison.Ordinal);
        await using var db = world.Main.Dbs.ForSystem();
        Assert.False((await db.Templates.SingleAsync(t => t.Slug == "debian-12", Ct)).Offered);
        var host = await db.Hosts.SingleAsync(Ct);
        Assert.Empty(await world.Main.Get<IVmEngines>().For(host.Connection).ListDomainsAsync(Ct));
    }

    [Fact]
    public async Task A_build_whose_portal_died_is_taken_over_by_another()
    {
        await using var world = await PortalWorld.CreateAsync(postgres, Ct);
        await AskAsync(world);
        var hanging = new Workshop { Hang = new TaskCompletionSource() };
        var first = Builds(world.Main, hanging).RunNextAsync(Ct);
        await hanging.Asked.Task;
        await using var other = await world.StartProcessAsync(Ct);
        await Builds(other, new Workshop()).RunNextAsync(Ct);
        Assert.Equal(TemplateBuildState.Building, (await ListAsync(world, other))[0].State);

        await world.Main.KillAsync(Ct);
        await Builds(other, new Workshop()).RunNextAsync(Ct);

        Assert.Equal(TemplateBuildState.Done, (await ListAsync(world, other))[0].State);
        hanging.Hang.SetResult();
        await Assert.ThrowsAnyAsync<Exception>(() => first);
    }

    [Fact]
    public async Task Each_release_is_a_template_of_its_own_and_which_can_be_fetched_is_told()
    {
        await using var world = await PortalWorld.CreateAsync(postgres, Ct);
        var releases = await new ListReleases.Handler(world.Main.Get<AccessRules>(), new Workshop()).HandleAsync(new(), world.Administrator, Ct);
        Assert.Equal([("bookworm", true), ("trixie", false)], releases.Value.Select(row => (row.Release.Codename, row.Fetchable)));
        Assert.NotNull((await world.Main.Get<ListReleases.Handler>().HandleAsync(new(), world.Owner, Ct)).Refusal);

        Assert.True((await AskAsync(world)).Succeeded);
        Assert.True((await world.Main.Get<BuildTemplate.Handler>().HandleAsync(new("trixie"), world.Administrator, Ct)).Succeeded);
        var workshop = new Workshop();
        await Builds(world.Main, workshop).RunNextAsync(Ct);
        await Builds(world.Main, workshop).RunNextAsync(Ct);

        var offered = (await world.Main.Get<ListTemplates.Handler>().HandleAsync(new(OfferedOnly: true), world.Owner, Ct)).Value;
        Assert.Equal(["debian-12", "debian-13", "tiny-linux"], offered.Select(row => row.Slug).Order());
        Assert.All(offered, row => Assert.Equal(FirstBoot.Script, row.FirstBoot));
        Assert.Equal(["bookworm", "trixie"], workshop.Releases);
    }

    [Fact]
    public async Task A_tenant_builds_nothing()
    {
        await using var world = await PortalWorld.CreateAsync(postgres, Ct);

        Assert.NotNull((await world.Main.Get<BuildTemplate.Handler>().HandleAsync(new("bookworm"), world.Owner, Ct)).Refusal);
        Assert.NotNull((await world.Main.Get<ListTemplateBuilds.Handler>().HandleAsync(new(), world.Owner, Ct)).Refusal);
        Assert.NotNull((await world.Main.Get<BuildTemplate.Handler>().HandleAsync(new("../etc"), world.Administrator, Ct)).Refusal);
    }

    private static Task<Result<TemplateBuildId>> AskAsync(PortalWorld world) => world.Main.Get<BuildTemplate.Handler>().HandleAsync(new("bookworm"), world.Administrator, Ct);

    private static async Task<IReadOnlyList<TemplateBuildRow>> ListAsync(PortalWorld world, WorldProcess? process = null) =>
        (await (process ?? world.Main).Get<ListTemplateBuilds.Handler>().HandleAsync(new(), world.Administrator, Ct)).Value;

    private static TemplateBuilds Builds(WorldProcess process, IImageWorkshop workshop) => new(
        process.Dbs, workshop, process.Get<IVmEngines>(), process.Get<ProcessLease>(), process.Get<TimeProvider>(), NullLogger<TemplateBuilds>.Instance);

    private sealed class Workshop : IImageWorkshop
    {
        public Refusal? Refusal { get; init; }

        public TaskCompletionSource? Hang { get; init; }

        public List<string> Releases { get; } = [];

        public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task<Result<StepOutcome>> EnsureDebianAsync(TemplateImage image, string release, Action<string> heard, CancellationToken ct)
        {
            Releases.Add(release);
            heard("fetching \0 packages\r\n");
            Asked.TrySetResult();
            await (Hang?.Task ?? Task.CompletedTask);
            return Refusal is { } no ? no : StepOutcome.Changed;
        }

        public Task<Result<StepOutcome>> EnsureImportedAsync(TemplateImage image, ImageImport import, Action<string> heard, CancellationToken ct) => throw new NotSupportedException();

        public Task<Result<ByteSize>> KeepUploadAsync(Guid upload, Stream content, IReadOnlySet<Guid> needed, Action<ByteSize> taken, CancellationToken ct) => throw new NotSupportedException();

        public Task<bool> HasDebianAsync(string release, CancellationToken ct) => Task.FromResult(release == "bookworm");

        public bool HasUpload(Guid upload) => false;

        public void DropUpload(Guid upload)
        {
        }

        public void SweepUploads(IReadOnlySet<Guid> needed)
        {
        }

        public void Forget(TemplateImage image)
        {
        }
    }
}
