using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Consoles;

/// <summary>The ticket is unknown, used, expired, or for another page.</summary>
public sealed record TicketRefused()
    : Refusal("consoles.ticket_refused", "This console ticket is not valid (any more). Open the console again from the VM's page.")
{
    public override RefusalKind Kind => RefusalKind.Forbidden;
}

/// <summary>An open console with what it was opened for.</summary>
public sealed record ConsoleSession(IGuestConsole Console, TenantId Tenant, VmId Vm, int Generation, SignedIn Who);

/// <summary>Turns a ticket into an attachment to a serial line, and tells whether the attachment may go on.</summary>
public sealed class ConsoleSessions(PortalDbs dbs, IVmEngines engines, ActorSource actors, AccessRules access)
{
    /// <summary>Redeems a ticket: works once. Person, VM and rights are looked at again, as they are now.</summary>
    public async Task<Result<ConsoleSession>> RedeemAsync(string ticket, string origin, CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        var hash = OpenConsole.HashOf(ticket);
        var taken = (await db.ConsoleTickets.FromSql(
            $"UPDATE console_tickets SET used_at = clock_timestamp() WHERE hash = {hash} AND used_at IS NULL AND expires_at > clock_timestamp() AND origin = {origin} RETURNING *")
            .AsNoTracking().ToListAsync(ct)).SingleOrDefault();
        if (taken is null || await actors.LoadAsync(taken.Who, ct) is not { } actor || !access.Allows(actor, Permission.UseConsole, taken.TenantId))
        {
            return new TicketRefused();
        }

        var found = await (from vm in db.Vms.AsNoTracking()
                           join host in db.Hosts.AsNoTracking() on vm.HostId equals host.Id
                           where vm.Id == taken.VmId && vm.DeletedAt == null && vm.Generation == taken.Generation
                           select new { vm, host }).SingleOrDefaultAsync(ct);
        if (found is null)
        {
            return new TicketRefused();
        }

        IGuestConsole console;
        try
        {
            console = await engines.For(found.host.Connection).OpenConsoleAsync(found.vm.DomainOn(found.host), ct);
        }
        catch (HostFaultException)
        {
            return new ConsoleNotThere(found.vm.Name);
        }

        try
        {
            // Tickets are of no use after seconds; the audit has what happened with them.
            await db.ConsoleTickets.Where(t => t.ExpiresAt < taken.ExpiresAt.AddDays(-1)).ExecuteDeleteAsync(ct);
            db.Add(AuditEntry.Of(actor, taken.TenantId, "console.opened", found.vm.Id.Value, found.vm.Name));
            await db.SaveChangesAsync(ct);
        }
        catch
        {
            // Without its entry in the audit nobody gets it; and it holds the guest's line.
            await console.DisposeAsync();
            throw;
        }

        return new ConsoleSession(console, taken.TenantId, taken.VmId, taken.Generation, taken.Who);
    }

    /// <summary>Whether the person may still use this console and the VM is still the one it was opened for.</summary>
    public async Task<bool> MayGoOnAsync(ConsoleSession session, CancellationToken ct)
    {
        if (await actors.LoadAsync(session.Who, ct) is not { } actor || !access.Allows(actor, Permission.UseConsole, session.Tenant))
        {
            return false;
        }

        await using var db = dbs.ForSystem();
        return await db.Vms.AnyAsync(v => v.Id == session.Vm && v.DeletedAt == null && v.Generation == session.Generation, ct);
    }
}
