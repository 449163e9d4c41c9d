using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Hosts;

/// <summary>Makes sure that every host has every template's newest image: at start, and again after a failure. Building is the engine's; it is safe to repeat.</summary>
public sealed partial class ImageBuilds(PortalDbs dbs, IVmEngines engines, TimeProvider clock, ILogger<ImageBuilds> logger)
    : Recurring(TimeSpan.FromSeconds(30), clock, logger)
{
    private readonly HashSet<(PoolId, TemplateVersionId)> _looked = [];

    protected override Task PassAsync(CancellationToken ct) => BuildMissingAsync(_looked, ct);

    /// <summary>One pass. What was looked at once in this process and is ready is not looked at again.</summary>
    public async Task BuildMissingAsync(ISet<(PoolId, TemplateVersionId)> looked, CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        // An older version stays where it is, for the VMs that were made from it.
        var versions = (await db.TemplateVersions.AsNoTracking().Where(v => !v.NeedsTest || v.ReleasedAt != null).ToListAsync(ct)).GroupBy(v => v.TemplateId).Select(of => of.MaxBy(v => v.Id.Value)!).ToList();
        var pools = await (from pool in db.Pools.AsNoTracking() join host in db.Hosts.AsNoTracking() on pool.HostId equals host.Id where host.Mode != HostMode.WrittenOff select new { pool.Id, host }).ToListAsync(ct);
        foreach (var pool in pools)
        {
            // A host whose pool was changed has none of its images any more, whatever was seen before.
            var ready = await db.PoolImages.AsNoTracking().Where(i => i.PoolId == pool.Id && i.State == PoolImageState.Ready).Select(i => i.TemplateVersionId).ToListAsync(ct);
            // One that starts from its own disk, or has its root on a server, stays away from hosts that cannot, and so do orders of it.
            foreach (var version in versions.Where(v => pool.host.Starts(v.Image)).Where(v => !looked.Contains((pool.Id, v.Id)) || !ready.Contains(v.Id)))
            {
                if (await BuildAsync(pool.Id, pool.host, version.Id, version.Image, ct))
                {
                    looked.Add((pool.Id, version.Id));
                }
            }
        }
    }

    private async Task<bool> BuildAsync(PoolId pool, Host host, TemplateVersionId version, TemplateImage template, CancellationToken ct)
    {
        await MarkAsync(pool, version, host, image => { if (image.State != PoolImageState.Ready) { image.Building(); } }, ct);
        Result<StepOutcome> result;
        try
        {
            result = await engines.For(host.Connection).EnsureTemplateAsync(template, ct);
        }
        catch (HostFaultException fault)
        {
            await MarkAsync(pool, version, host, image => image.Failed(fault.Message), ct);
            BuildFailed(logger, template.Name, host.Name, fault.Message);
            return false;
        }

        await using var db = dbs.ForSystem();
        var now = await db.NowAsync(ct);
        await MarkAsync(pool, version, host, image => { if (result.Refusal is { } refusal) { image.Failed(refusal.Message); } else { image.Built(now); } }, ct);
        if (result.Succeeded)
        {
            await db.TemplateVersions.Where(v => v.Id == version && v.ReleasedAt == null).ExecuteUpdateAsync(s => s.SetProperty(v => v.ReleasedAt, now), ct);
        }

        if (result.Refusal is { } no)
        {
            BuildFailed(logger, template.Name, host.Name, no.Message);
            return false;
        }

        Built(logger, template.Name, host.Name);
        return true;
    }

    private async Task MarkAsync(PoolId pool, TemplateVersionId version, Host host, Action<PoolImage> mark, CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var image = await db.PoolImages.SingleOrDefaultAsync(i => i.PoolId == pool && i.TemplateVersionId == version, ct);
        if (image is null)
        {
            image = new PoolImage(pool, version);
            db.Add(image);
        }

        var (before, problem) = (image.ReadyAt, image.Problem);
        mark(image);
        // What is tried again every half minute is said once, until it ends otherwise.
        if (image.State != PoolImageState.Building && (before != image.ReadyAt || problem != image.Problem))
        {
            db.Add(AuditEntry.OfPlatform(Actor.Portal, $"image.{image.State}".ToLowerInvariant(), host.Id.Value, host.Name, image.Problem ?? ""));
        }

        await db.SaveChangesAsync(ct);
        await db.AnnounceAsync(Topic.Hosts, ct);
        await transaction.CommitAsync(ct);
    }

    [LoggerMessage(EventId = 3001, Level = LogLevel.Information, Message = "The image of {Template} is ready on {Host}")]
    private static partial void Built(ILogger logger, string template, string host);

    [LoggerMessage(EventId = 3002, Level = LogLevel.Warning, Message = "The image of {Template} could not be made on {Host} and is tried again: {Problem}")]
    private static partial void BuildFailed(ILogger logger, string template, string host, string problem);
}
