using System.Net;
using Portal.App.Access;
using Portal.App.Pricing;
using Portal.App.Quotas;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Ordering;

/// <summary>Says what an order would cost, take and do, while it is being composed. Changes nothing.</summary>
public static class PreviewOrder
{
    public sealed record Request(TenantId Tenant, OrderForm Form);

    /// <param name="Problems">What stands against it now, the most important first; an order with one is not accepted.</param>
    /// <param name="Commands">What a build of the first VM does on its host, a line each; addresses are examples until the order is approved.</param>
    public sealed record Preview(
        IReadOnlyList<string> Names,
        Price? PriceOfAll,
        QuotaState? Quota,
        QuotaAmount Asked,
        bool ApprovedByPolicy,
        int HostsThatFit,
        IReadOnlyList<Refusal> Problems,
        IReadOnlyList<string> Commands);

    public sealed class Handler(PortalDbs dbs, AccessRules access, IVmEngines engines)
    {
        public async Task<Result<Preview>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.OrderVms, request.Tenant) is { } refusal)
            {
                return refusal;
            }

            var problems = OrderComposer.CheckShape(request.Form).ToList();
            Result<Composition> composed;
            await using (var db = dbs.ForTenant(request.Tenant))
            {
                composed = await OrderComposer.ComposeAsync(db, request.Tenant, request.Form, ct);
            }

            if (!composed.TryGet(out var order, out var no))
            {
                return new Preview([], null, null, default, false, 0, problems.Count > 0 ? problems : [no], []);
            }

            if (order.NameProblem is { } nameProblem)
            {
                problems.Add(nameProblem);
            }

            if (order.Quota.Check(order.Asked) is { } exceeded)
            {
                problems.Add(exceeded);
            }

            await using var system = dbs.ForSystem();
            var rooms = await system.ReadHostRoomsAsync(order.Version.Id, order.Tenant.Id, lockHosts: false, ct);
            var chosen = Placement.Choose(rooms, order.Count, order.Plan.Vcpus, order.Plan.Memory, order.Plan.Disk);
            if (chosen is null)
            {
                problems.Add(await system.ReadWhyNotAsync(order.Version.Id, rooms, order.Plan.Name, order.Count, order.Plan.Vcpus, order.Plan.Memory, order.Plan.Disk, ct));
            }

            return new Preview(
                [.. order.Names.Select(n => n.Text)],
                order.Price * order.Count,
                order.Quota,
                order.Asked,
                order.Tenant.Approval == Tenants.ApprovalMode.Automatic,
                rooms.Count(r => r.Fits(order.Plan.Vcpus, order.Plan.Memory, order.Plan.Disk)),
                problems,
                chosen is null || order.Names is [] ? [] : engines.For(chosen[0].Host.Connection).Plan(ExampleSpec(order, chosen[0].Host)));
        }

        private static DomainSpec ExampleSpec(Composition order, Hosts.Host host) => new()
        {
            Name = new DomainName(host.Instance, VmId.New(), 1),
            Vcpus = order.Plan.Vcpus,
            Memory = order.Plan.Memory,
            Disk = order.Plan.Disk,
            Template = order.Version.Image,
            HostName = order.Names[0],
            Mac = MacAddress.OfSequence(0),
            Address = new GuestAddress(IPAddress.Any, 24, IPAddress.Any, IPAddress.Any),
            SshKeys = order.Keys,
            UserData = order.UserData,
        };
    }
}
