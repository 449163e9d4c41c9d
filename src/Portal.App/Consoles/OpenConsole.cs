using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Consoles;

/// <summary>The VM does not run, so its serial line says nothing.</summary>
public sealed record ConsoleNotThere(string Vm)
    : Refusal("consoles.not_running", $"{Vm} is not running. Start it, then open the console again.");

/// <summary>Gives a one-time ticket for a VM's serial console.</summary>
public static class OpenConsole
{
    /// <param name="Origin">Scheme, host and port of the page that will connect, as a browser sends it in the Origin header.</param>
    public sealed record Request(TenantId Tenant, VmId Vm, string Origin);

    /// <param name="Ticket">256 random bits in URL-safe base64; shown once.</param>
    public sealed record Opened(string Ticket, DateTimeOffset ExpiresAt);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        /// <summary>Each call gives another ticket.</summary>
        public async Task<Result<Opened>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.UseConsole, request.Tenant) is { } refusal)
            {
                return refusal;
            }

            if (actor.User is not { } user)
            {
                return new NotAllowed(Permission.UseConsole);
            }

            await using var db = dbs.ForTenant(request.Tenant);
            var vm = await db.Vms.AsNoTracking().SingleOrDefaultAsync(v => v.Id == request.Vm && v.DeletedAt == null, ct);
            if (vm is null)
            {
                return new NotFound("VM");
            }

            // A build that has started its domain has a console already, before the build is over.
            if (vm.Stage is VmStage.Failed || (vm.Stage is VmStage.Ready && vm.Seen is DomainState.Off or DomainState.Absent or DomainState.Crashed && vm.Wanted == WantedState.Stopped))
            {
                return new ConsoleNotThere(vm.Name);
            }

            var ticket = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
            var expires = await db.NowAsync(ct) + ConsoleTicket.Life;
            db.Add(new ConsoleTicket(HashOf(ticket), vm, new SignedIn(user, actor.Stamp), request.Origin, expires));
            db.Add(AuditEntry.Of(actor, vm.TenantId, "console.ticket", vm.Id.Value, vm.Name));
            await db.SaveChangesAsync(ct);
            return new Opened(ticket, expires);
        }
    }

    internal static byte[] HashOf(string ticket) => SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(ticket));
}
