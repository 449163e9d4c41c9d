using Microsoft.EntityFrameworkCore;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Operations;

/// <summary>Somebody called it off while a disk was copied.</summary>
internal sealed record CopyCalledOff()
    : Refusal("operations.cancelled", "Cancelled while its disks were copied; what was done is being taken back.");

/// <summary>Writes down how much of an operation's disks was copied, at most once a second, and hears whether it was called off.</summary>
internal sealed class CopyNotes(PortalDbs dbs, OperationKind kind, Guid operation, Guid owner, long epoch, Vm vm, TimeProvider clock)
{
    private static readonly TimeSpan s_between = TimeSpan.FromSeconds(1);

    private long? _last;

    /// <exception cref="HostFaultException">Somebody else has the operation now; his next write finds the same out.</exception>
    public async Task<Refusal?> TellAsync(ByteSize done, ByteSize total, CancellationToken ct)
    {
        if (_last is { } last && clock.GetElapsedTime(last) < s_between && done < total)
        {
            return null;
        }

        _last = clock.GetTimestamp();
        await using var db = dbs.ForSystem();
        var calledOff = await db.Database.SqlQuery<bool>(kind == OperationKind.Move
            ? (FormattableString)$"""
                UPDATE vm_moves m SET copied = {done.Bytes}, total = {total.Bytes} FROM operations o
                WHERE m.operation_id = {operation} AND o.id = m.operation_id AND o.owner = {owner} AND o.epoch = {epoch} RETURNING o.cancel_requested AS "Value"
                """
            : $"""
                UPDATE operations SET copied = {done.Bytes}, total = {total.Bytes} WHERE id = {operation} AND owner = {owner} AND epoch = {epoch} RETURNING cancel_requested AS "Value"
                """).ToListAsync(ct);
        await db.AnnounceAsync(Topic.Of(vm.Id), ct);
        return calledOff switch
        {
            [true] => new CopyCalledOff(),
            [false] => null,
            _ => throw new HostFaultException("Another portal has taken this operation over."),
        };
    }
}
