using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Hosts;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Fleet;

/// <summary>No sshd could be looked at there.</summary>
public sealed record NoHostThere(string Problem)
    : Refusal("hosts.not_there", Problem)
{
    public override RefusalKind Kind => RefusalKind.Unavailable;

    public override string? Field => "address";
}

/// <summary>The key that was confirmed is not the one that the host shows.</summary>
public sealed record OtherKey(string Confirmed, string Shown)
    : Refusal("hosts.other_key", $"The host shows {Shown}, and {Confirmed} was confirmed. Read the fingerprint on the host's own console; if it is not the shown one, somebody else answers in its place.")
{
    public override string? Field => "fingerprint";
}

/// <summary>Looks at a machine's sshd and tells its key, so that a person can compare it with what the machine's own console says. Nobody signs in.</summary>
public static class LookAtHost
{
    public sealed record Request(string Address, int Port);

    /// <param name="Line">As OpenSSH writes it: what is pinned.</param>
    public sealed record ShownKey(string Line, string Type, string Fingerprint);

    public sealed class Handler(PortalDbs dbs, AccessRules access, IHostDoor door)
    {
        /// <summary>Safe to repeat; each look is in the audit, because it makes the portal connect to wherever was named.</summary>
        public async Task<Result<ShownKey>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.ManageHosts) is { } refusal)
            {
                return refusal;
            }

            if (AddHost.CheckPlace(request.Address, request.Port) is { } wrong)
            {
                return wrong;
            }

            await using (var db = dbs.ForSystem())
            {
                db.Add(AuditEntry.OfPlatform(actor, "host.looked_at", Guid.Empty, $"{request.Address.Trim()}, port {request.Port}"));
                await db.SaveChangesAsync(ct);
            }

            try
            {
                var key = await door.KeyOfAsync(request.Address.Trim(), request.Port, null, ct);
                return new ShownKey(key.Line, key.Line.Split(' ')[0], key.Fingerprint);
            }
            catch (HostFaultException fault)
            {
                return new NoHostThere(fault.Message);
            }
        }
    }
}

/// <summary>
/// Pins the key that a host shows now in place of the one that it was added with: after its system was installed anew. Whoever asks has read the new
/// key's fingerprint on the host's own console, and gives it.
/// </summary>
public static class PinHostKey
{
    public sealed record Request(HostId Host, string Fingerprint);

    public sealed class Handler(PortalDbs dbs, AccessRules access, IHostDoor door)
    {
        /// <summary>Safe to repeat.</summary>
        public async Task<Result<Done>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.ManageHosts) is { } refusal)
            {
                return refusal;
            }

            if ((await dbs.FindHostAsync(request.Host, ct))?.Xen is not { } xen)
            {
                return new NotFound("host");
            }

            SshPublicKey shown;
            try
            {
                // One of the pinned type, where the host still has one: the alarm was about that.
                shown = await door.KeyOfAsync(xen.Address, xen.Port, xen.Key, ct);
            }
            catch (HostFaultException)
            {
                try
                {
                    shown = await door.KeyOfAsync(xen.Address, xen.Port, null, ct);
                }
                catch (HostFaultException fault)
                {
                    return new NoHostThere(fault.Message);
                }
            }

            var confirmed = request.Fingerprint.Trim();
            if (!string.Equals(confirmed, shown.Fingerprint, StringComparison.Ordinal))
            {
                return new OtherKey(confirmed.Length == 0 ? "nothing" : confirmed, shown.Fingerprint);
            }

            if (shown.Fingerprint == xen.Key.Fingerprint)
            {
                return default(Done);
            }

            // After the network, which takes its time: the watch writes to the row meanwhile, and somebody else may have changed it.
            await using var db = dbs.ForSystem();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var host = (await db.Hosts.FromSql($"SELECT *, xmin FROM hosts WHERE id = {request.Host.Value} FOR UPDATE").ToListAsync(ct)).Single();
            if (host.Mode == HostMode.WrittenOff || host.Xen != xen)
            {
                return new ChangedMeanwhile("host");
            }

            host.ReachBy(xen with { Key = shown });
            db.Add(AuditEntry.OfPlatform(actor, "host.key_pinned", host.Id.Value, host.Name, $"{xen.Key.Fingerprint} -> {shown.Fingerprint}"));
            await db.SaveChangesAsync(ct);
            await db.AnnounceAsync(Topic.Hosts, ct);
            await transaction.CommitAsync(ct);
            return default(Done);
        }
    }
}
