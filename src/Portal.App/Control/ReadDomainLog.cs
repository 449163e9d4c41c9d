using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Fleet;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Control;

/// <summary>Reads what a host wrote down about one of the portal's domains. Whose VM it is sees in the audit that somebody read its console.</summary>
public static class ReadDomainLog
{
    /// <param name="Domain">Its name on the host.</param>
    public sealed record Request(HostId Host, string Domain, DomainLog Log);

    /// <param name="VmName">Null where no VM is behind it.</param>
    /// <param name="Text">The end of it; empty where nothing was written.</param>
    public sealed record Read(string Domain, string? VmName, DomainLog Log, string Text);

    public sealed class Handler(PortalDbs dbs, AccessRules access, IVmEngines engines)
    {
        /// <summary>Changes nothing but the audit.</summary>
        public async Task<Result<Read>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.SeeHosts) is { } refusal)
            {
                return refusal;
            }

            if (await dbs.FindHostAsync(request.Host, ct) is not { } host || !DomainName.TryParse(request.Domain, out var domain) || domain.Instance != host.Instance)
            {
                return new NotFound("domain");
            }

            string text;
            try
            {
                text = await engines.For(host.Connection).ReadLogAsync(domain, request.Log, ct);
            }
            catch (HostFaultException fault)
            {
                return new HostSilent(host.Name, fault.Message);
            }

            await using var db = dbs.ForSystem();
            var vm = await db.Vms.AsNoTracking().SingleOrDefaultAsync(v => v.Id == domain.Vm, ct);
            if (vm is not null && request.Log == DomainLog.Console && text.Length > 0)
            {
                db.Add(AuditEntry.Of(actor, vm.TenantId, "console.log_read", vm.Id.Value, vm.Name, $"on host {host.Name}"));
                await db.SaveChangesAsync(ct);
            }

            return new Read(domain.Text, vm?.Name, request.Log, text);
        }
    }
}
