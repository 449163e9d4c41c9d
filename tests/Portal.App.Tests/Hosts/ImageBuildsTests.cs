using Microsoft.EntityFrameworkCore;
using Portal.App.Catalogue;
using Portal.App.Hosts;
using Portal.Engine.Simulated;
using Portal.Testing.Postgres;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Hosts;

public sealed class ImageBuildsTests(PostgresFixture postgres)
{
    [Fact]
    public async Task A_failure_that_comes_again_is_audited_once_and_only_the_newest_version_is_built()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        await using var db = world.Main.Dbs.ForSystem();
        var template = await db.Templates.SingleAsync(ct);
        var newer = new TemplateVersion(template.Id, "9", "tiny-linux");
        db.Add(newer);
        await db.SaveChangesAsync(ct);
        var looked = new HashSet<(Portal.Kernel.PoolId, Portal.Kernel.TemplateVersionId)>();
        for (var i = 0; i < 3; i++)
        {
            world.Faults.Arm(SimulatedVerb.EnsureTemplate, SimulatedMoment.Before, SimulatedFault.Refuse);
            await world.Main.Get<ImageBuilds>().BuildMissingAsync(looked, ct);
        }

        Assert.Equal(1, await db.AuditEntries.CountAsync(e => e.Verb == "image.failed", ct));
        await world.Main.Get<ImageBuilds>().BuildMissingAsync(looked, ct);
        await world.Main.Get<ImageBuilds>().BuildMissingAsync(looked, ct);

        // The one of the world's own first build, and this.
        Assert.Equal(2, await db.AuditEntries.CountAsync(e => e.Verb == "image.ready", ct));
        Assert.Equal(PoolImageState.Ready, await db.PoolImages.Where(i => i.TemplateVersionId == newer.Id).Select(i => i.State).SingleAsync(ct));
        Assert.Single(looked);
    }
}
