using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Hosts;
using Portal.App.Operations;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Control;

/// <summary>
/// Removes what moves have left: on hosts that did not answer when the operation would have done it, or where it was called off. Harmless on several replicas:
/// both find it gone.
/// </summary>
public sealed partial class MoveLeftovers(PortalDbs dbs, IVmEngines engines, TimeProvider clock, ILogger<MoveLeftovers> logger)
    : Recurring(TimeSpan.FromSeconds(30), clock, logger)
{
    protected override Task PassAsync(CancellationToken ct) => RemoveAsync(ct);

    /// <summary>One pass. What is left on a host that does not answer is looked at again in the next one.</summary>
    public async Task RemoveAsync(CancellationToken ct)
    {
        List<OperationId> left;
        await using (var db = dbs.ForSystem())
        {
            left = await (from move in db.VmMoves.AsNoTracking()
                          join operation in db.Operations on move.OperationId equals operation.Id
                          join host in db.Hosts on move.LeftOnId equals host.Id
                          where operation.FinishedAt != null && host.Problem == null && (host.Mode == HostMode.InUse || host.Mode == HostMode.Draining)
                          orderby move.OperationId
                          select move.OperationId).ToListAsync(ct);
        }

        await EachAsync(left, id => RemoveAsync(id, ct), ct);
    }

    private async Task RemoveAsync(OperationId id, CancellationToken ct)
    {
        VmMove move;
        Host host;
        long epoch;
        await using (var db = dbs.ForSystem())
        {
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            move = await db.VmMoves.AsNoTracking().SingleAsync(m => m.OperationId == id, ct);
            var vm = (await db.Vms.FromSql($"SELECT *, xmin FROM vms WHERE id = {move.VmId.Value} FOR UPDATE").ToListAsync(ct)).Single();
            // Whoever asks for something of the VM after this gets a higher epoch, and so the fence.
            if (move.LeftOnId is not { } on || await db.FindLiveOperationAsync(vm.Id, ct) is not null)
            {
                return;
            }

            if (vm.DeletedAt is null && (vm.HostId, vm.Generation) == (on, move.LeftGeneration))
            {
                throw new InvalidOperationException($"VM {vm.Id} is what move {id} is said to have left.");
            }

            host = await db.Hosts.AsNoTracking().SingleAsync(h => h.Id == on, ct);
            epoch = await db.Database.SqlQuery<long>($"SELECT nextval('fence_epochs') AS \"Value\"").SingleAsync(ct);
            await transaction.CommitAsync(ct);
        }

        var (engine, name, fence) = (engines.For(host.Connection), move.NameOn(host), new Fence(move.VmId, epoch));
        var gone = await engine.EnsureUndefinedAsync(fence, name, ct);
        gone = gone.Succeeded ? await engine.EnsureDisksGoneAsync(fence, name, ct) : gone;
        if (gone.Refusal is { } refusal)
        {
            NotRemoved(logger, name.Text, host.Name, refusal.Message);
            return;
        }

        await ClearedAsync(id, host, name, ct);
    }

    private async Task ClearedAsync(OperationId id, Host host, DomainName name, CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        var move = await db.VmMoves.SingleAsync(m => m.OperationId == id, ct);
        if (move.LeftOnId is null)
        {
            return;
        }

        move.Cleared();
        db.Add(AuditEntry.OfPlatform(Actor.Portal, "host.move_cleared", host.Id.Value, host.Name, name.Text));
        await db.SaveChangesAsync(ct);
        await db.AnnounceAsync(Topic.Hosts, ct);
    }

    [LoggerMessage(EventId = 5001, Level = LogLevel.Warning, Message = "What a move has left of {Domain} on {Host} cannot be removed yet: {Problem}")]
    private static partial void NotRemoved(ILogger logger, string domain, string host, string problem);
}
