using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Fleet;

/// <summary>Finds the domains on a host that no portal made, running or only described by a file, and says what was understood of each and what was not.</summary>
public static class FindForeign
{
    public sealed record Request(HostId Host);

    /// <param name="Tenant">Where the portal adopted it, and only its file is still there: whose it is now; null where it did not.</param>
    /// <param name="VmName">The VM that it is now.</param>
    public sealed record Row(ForeignSighting Sighting, TenantId? Tenant, VmId? Vm, string? VmName);

    public sealed class Handler(PortalDbs dbs, AccessRules access, IVmEngines engines)
    {
        /// <summary>Changes nothing, neither here nor on the host.</summary>
        public async Task<Result<IReadOnlyList<Row>>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.SeeHosts) is { } refusal)
            {
                return refusal;
            }

            var host = await dbs.FindHostAsync(request.Host, ct);
            if (host is null)
            {
                return new NotFound("host");
            }

            var engine = engines.For(host.Connection);
            if (!engine.SeesForeign)
            {
                return new ForeignNotSeen();
            }

            try
            {
                var sightings = await engine.FindForeignAsync(ct);
                await using var db = dbs.ForSystem();
                var adopted = (await db.Vms.AsNoTracking().Where(v => v.HostId == host.Id && v.AdoptedText != "" && v.DeletedAt == null).ToListAsync(ct)).DistinctBy(v => v.Adopted!.Name).ToDictionary(v => v.Adopted!.Name);
                return Result<IReadOnlyList<Row>>.Of(
                    [.. sightings.Select(s => s.Name is not null && adopted.TryGetValue(s.Name, out var vm) ? new Row(s, vm.TenantId, vm.Id, vm.Name) : new Row(s, null, null, null))]);
            }
            catch (HostFaultException fault)
            {
                return new HostSilent(host.Name, fault.Message);
            }
        }
    }
}

/// <summary>Reads a configuration that somebody has in his hands, as a host would that has its volume groups and bridges.</summary>
public static class ReadForeignConfig
{
    /// <param name="Config">In the words of xl or of the old xm.</param>
    public sealed record Request(HostId Host, string Config);

    public sealed class Handler(PortalDbs dbs, AccessRules access, IVmEngines engines)
    {
        /// <summary>Changes nothing, neither here nor on the host, and keeps nothing.</summary>
        public async Task<Result<ForeignDomain>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (string.IsNullOrWhiteSpace(request.Config))
            {
                return new Invalid("config", "There is nothing to read.");
            }

            if (access.Check(actor, Permission.SeeHosts) is { } refusal)
            {
                return refusal;
            }

            var host = await dbs.FindHostAsync(request.Host, ct);
            if (host is null)
            {
                return new NotFound("host");
            }

            try
            {
                return await engines.For(host.Connection).ReadForeignAsync(request.Config, ct);
            }
            catch (HostFaultException fault)
            {
                return new HostSilent(host.Name, fault.Message);
            }
        }
    }
}
