using System.Net;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Catalogue;
using Portal.App.Hosts;
using Portal.App.Operations;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Templates;

/// <summary>No host can test it now.</summary>
/// <param name="Boot">How its guests start: not every host is for each.</param>
public sealed record NoHostForTest(ImageBoot Boot)
    : Refusal("templates.no_host", $"No host{(Boot == ImageBoot.Disk ? " that starts guests from their own disk" : "")} is in use and well, and a new version is tested on one before it is offered. Add a host or mend one, then build again.{(Boot == ImageBoot.Disk ? " A Xen host says among its checks what it lacks for that." : "")}");

/// <summary>Works builds of templates off, one at a time in each process. What a process that died was at is taken over, as operations are.</summary>
public sealed partial class TemplateBuilds(PortalDbs dbs, IImageWorkshop workshop, IVmEngines engines, ProcessLease lease, TimeProvider clock, ILogger<TemplateBuilds> logger)
    : Recurring(TimeSpan.FromSeconds(2), clock, logger)
{
    private static readonly TimeSpan s_flush = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_sweep = TimeSpan.FromHours(1);
    private readonly TimeProvider _clock = clock;
    private long? _swept;

    protected override Task PassAsync(CancellationToken ct) => RunNextAsync(ct);

    /// <summary>Works on the build that waits longest, to its end; returns at once where there is none. Safe to repeat.</summary>
    public async Task RunNextAsync(CancellationToken ct)
    {
        if (await ClaimAsync(ct) is not { } claim)
        {
            await SweepAsync(ct);
            return;
        }

        var log = new BuildLog(claim.Log);
        string? problem;
        // What was uploaded stays where it may do for the next try.
        var spent = false;
        try
        {
            var refusal = claim.Tries > TemplateBuild.MaxTries ? null : await WorkAsync(claim, log, ct);
            spent = refusal is null or ImageRefused;
            problem = claim.Tries > TemplateBuild.MaxTries
                ? $"The portal has stopped {TemplateBuild.MaxTries} times while it was at it. Look at its log, then build again."
                : refusal?.Message;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The portal stops: the next one begins it anew, and this was no fault of the build's.
            await LetGoAsync(claim, CancellationToken.None);
            throw;
        }
        catch (Exception fault) when (fault is HostFaultException or IOException or UnauthorizedAccessException)
        {
            problem = fault.Message;
        }

        await FinishAsync(claim, log, problem, spent, ct);
    }

    private async Task SweepAsync(CancellationToken ct)
    {
        if (_swept is { } last && _clock.GetElapsedTime(last) < s_sweep)
        {
            return;
        }

        _swept = _clock.GetTimestamp();
        await using var db = dbs.ForSystem();
        workshop.SweepUploads(await UploadImage.NeededAsync(db, ct));
    }

    private async Task<Refusal?> WorkAsync(Claim claim, BuildLog log, CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        var version = await db.TemplateVersions.AsNoTracking().SingleAsync(v => v.Id == new TemplateVersionId(claim.Version), ct);
        var template = await db.Templates.AsNoTracking().SingleAsync(t => t.Id == version.TemplateId, ct);
        var import = WrittenImport.Read(claim.Import);
        var built = import is null ? workshop.EnsureDebianAsync(version.Image, claim.Release, log.Add, ct) : workshop.EnsureImportedAsync(version.Image, import.Image, log.Add, ct);
        if ((await FollowAsync(claim, log, built)).Refusal is { } notBuilt)
        {
            return notBuilt;
        }

        var hosts = await db.Hosts.AsNoTracking().Where(h => h.Mode == HostMode.InUse && h.Problem == null).OrderBy(h => h.Name).ToListAsync(ct);
        var host = hosts.FirstOrDefault(h => h.Starts(version.Image));
        var network = host is null ? null : await db.Networks.AsNoTracking().OrderBy(n => n.Id).FirstOrDefaultAsync(n => n.HostId == host.Id, ct);
        if (host is null || network is null)
        {
            return new NoHostForTest(version.Boot);
        }

        log.Add($"Testing on {host.Name}\n");
        await WriteAsync(claim, log, TemplateBuildState.Testing, ct);
        var mac = await db.Database.SqlQuery<long>($"SELECT nextval('mac_numbers') AS \"Value\"").SingleAsync(ct);
        var vm = new VmId(claim.Id);
        var spec = new DomainSpec
        {
            Name = new DomainName(host.Instance, vm, 1),
            Vcpus = 1,
            Memory = ByteSize.FromMiB(Math.Max(384, (import?.Memory ?? template.MinMemory).CeilingMiB)),
            Disk = import?.Disk ?? template.MinDisk,
            Template = version.Image,
            HostName = VmName.Parse("template-test"),
            Mac = MacAddress.OfSequence(mac),
            // No address of a tenant's: where guests share a wire, one that is never routed (RFC 3927).
            Address = network.Shared ? new GuestAddress(IPAddress.Parse("169.254.77.77"), 16, IPAddress.Parse("169.254.77.1"), network.Dns) : network.Guest(network.LastIp),
            SshKeys = [],
        };
        var trial = new TemplateTrial(_clock);
        var failed = await FollowAsync(claim, log, trial.RunAsync(engines.For(host.Connection), new Fence(vm, claim.Epoch), spec, import is not null, log.Add, ct));
        if (import is not null && failed is null)
        {
            var first = trial.ReadsSeed ? FirstBoot.CloudInit : FirstBoot.Nothing;
            await db.TemplateVersions.Where(v => v.Id == version.Id).ExecuteUpdateAsync(s => s.SetProperty(v => v.FirstBoot, first), ct);
        }

        return failed;
    }

    // What is said is written down while the work goes on, so that people see it live and it is not lost with the process.
    private async Task<T> FollowAsync<T>(Claim claim, BuildLog log, Task<T> work)
    {
        try
        {
            while (!work.IsCompleted)
            {
                // Not broken off by a stop of the portal: the work is, and says so.
                await Task.WhenAny(work, Task.Delay(s_flush, _clock, CancellationToken.None));
                await WriteAsync(claim, log, null, CancellationToken.None);
            }
        }
        finally
        {
            // Also where the log could not be written: the next pass must not begin a second one beside it.
            await ((Task)work).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return await work;
    }

    private async Task FinishAsync(Claim claim, BuildLog log, string? problem, bool spent, CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var (text, written) = (log.Text, WrittenImport.Read(claim.Import)?.AsKept().Write());
        var cut = problem is { Length: > TemplateBuild.MaxProblem } ? problem[..TemplateBuild.MaxProblem] : problem;
        var state = (problem is null ? TemplateBuildState.Done : TemplateBuildState.Failed).ToString();
        if (await db.Database.ExecuteSqlAsync(
            $"UPDATE template_builds SET state = {state}, problem = {cut}, log = {text}, import = {written}, owner = NULL, finished_at = clock_timestamp() WHERE id = {claim.Id} AND owner = {claim.Owner} AND epoch = {claim.Epoch} AND finished_at IS NULL", ct) == 0)
        {
            return;
        }

        var version = await db.TemplateVersions.AsNoTracking().SingleAsync(v => v.Id == new TemplateVersionId(claim.Version), ct);
        var template = await db.Templates.SingleAsync(t => t.Id == version.TemplateId, ct);
        if (problem is null)
        {
            if (WrittenImport.Read(claim.Import) is { } import)
            {
                template.Change(import.Name, import.Description, import.SignIn, template.Offered);
                template.Need(import.Memory, import.Disk);
            }

            // A template is offered with its first good version; one that was withdrawn since stays so.
            var first = !await db.TemplateVersions.AnyAsync(v => v.TemplateId == template.Id && v.ReleasedAt != null, ct);
            var now = await db.NowAsync(ct);
            await db.TemplateVersions.Where(v => v.Id == version.Id).ExecuteUpdateAsync(s => s.SetProperty(v => v.ReleasedAt, now), ct);
            if (first)
            {
                template.Change(template.Name, template.Description, template.SignIn, offered: true);
            }
        }

        db.Add(AuditEntry.OfPlatform(Actor.Portal, problem is null ? "template.version_offered" : "template.build_failed", template.Id.Value, claim.Name, problem ?? ""));
        await db.SaveChangesAsync(ct);
        await db.AnnounceAsync(Topic.Templates, ct);
        await transaction.CommitAsync(ct);
        if (problem is not null)
        {
            // The next try is another version.
            workshop.Forget(version.Image);
        }

        if (spent && WrittenImport.Read(claim.Import)?.Upload is { } upload)
        {
            workshop.DropUpload(upload);
        }

        Ended(logger, claim.Name, problem ?? "offered");
    }

    // Of its own rows this process knows that nobody is at them: it has one at a time.
    private async Task<Claim?> ClaimAsync(CancellationToken ct)
    {
        if (lease.Current is not { } me)
        {
            return null;
        }

        await using var db = dbs.ForSystem();
        return (await db.Database.SqlQuery<Claim>(
            $"""
            UPDATE template_builds b SET owner = {me.Value}, epoch = nextval('fence_epochs'), tries = b.tries + 1, state = 'Building'
            WHERE b.id = (
                SELECT w.id FROM template_builds w WHERE w.finished_at IS NULL AND (w.owner IS NULL OR w.owner = {me.Value} OR NOT EXISTS (
                    SELECT 1 FROM processes p JOIN pg_locks l ON l.locktype = 'advisory' AND l.classid = {ProcessLease.LockSpace}::oid AND l.objid = p.lock_key::oid
                      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND l.granted
                    WHERE p.id = w.owner))
                ORDER BY w.id LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING b.id AS id, b.template_version_id AS version, b.name AS name, b.release AS release, b.owner AS owner, b.epoch AS epoch, b.tries AS tries, b.log AS log, b.import AS import
            """).ToListAsync(ct)).SingleOrDefault();
    }

    private async Task WriteAsync(Claim claim, BuildLog log, TemplateBuildState? state, CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        var (id, owner, text) = (new TemplateBuildId(claim.Id), new ProcessId(claim.Owner), log.Text);
        var rows = await db.TemplateBuilds.Where(b => b.Id == id && b.Owner == owner && b.Epoch == claim.Epoch && b.FinishedAt == null).ExecuteUpdateAsync(
            row =>
            {
                row.SetProperty(b => b.Log, text);
                if (state is { } now)
                {
                    row.SetProperty(b => b.State, now);
                }
            },
            ct);
        if (rows > 0)
        {
            await db.AnnounceAsync(Topic.Templates, ct);
        }
    }

    private async Task LetGoAsync(Claim claim, CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        await db.Database.ExecuteSqlAsync($"UPDATE template_builds SET owner = NULL, tries = tries - 1 WHERE id = {claim.Id} AND owner = {claim.Owner} AND epoch = {claim.Epoch} AND finished_at IS NULL", ct);
    }

    private sealed record Claim(Guid Id, Guid Version, string Name, string Release, Guid Owner, long Epoch, int Tries, string Log, string? Import);

    [LoggerMessage(EventId = 3003, Level = LogLevel.Information, Message = "The build of {Template} has ended: {Outcome}")]
    private static partial void Ended(ILogger logger, string template, string outcome);
}

/// <summary>The end of what a build says, as plain text. Many may add to it at once.</summary>
internal sealed class BuildLog(string before)
{
    private readonly StringBuilder _text = new(before);

    public string Text
    {
        get
        {
            lock (_text)
            {
                return _text.ToString();
            }
        }
    }

    public void Add(string piece)
    {
        lock (_text)
        {
            // A database takes no NUL, and a page no escapes: what colours a line stays out of it.
            foreach (var letter in piece.Where(letter => letter is '\n' or '\t' || !char.IsControl(letter)))
            {
                _text.Append(letter);
            }

            _text.Remove(0, Math.Max(0, _text.Length - TemplateBuild.MaxLog));
            if (_text.Length > 0 && char.IsLowSurrogate(_text[0]))
            {
                // Half a letter is no text that a database takes.
                _text.Remove(0, 1);
            }
        }
    }
}
