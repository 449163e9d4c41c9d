using System.Net;
using Portal.App.Access;
using Portal.App.Catalogue;
using Portal.App.Policies;
using Portal.App.Pricing;
using Portal.App.Quotas;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Ordering;

/// <summary>Says what an order would cost, take and do, while it is being composed. Changes nothing.</summary>
public static class PreviewOrder
{
    public sealed record Request(TenantId Tenant, OrderForm Form);

    /// <param name="Lines">One for each of the form's; empty where one of them could not be composed.</param>
    /// <param name="Questions">What people are asked when it is placed, in this order; none where its policies say yes by themselves.</param>
    /// <param name="HostsThatFit">How many hosts have room for one of its VMs at least.</param>
    /// <param name="Warning">What is worth a second thought and keeps nobody from ordering; null where nothing is.</param>
    /// <param name="Problems">What stands against it now, the most important first; an order with one is not accepted.</param>
    public sealed record Preview(
        IReadOnlyList<Line> Lines,
        Price? PriceOfAll,
        QuotaState? Quota,
        QuotaAmount Asked,
        IReadOnlyList<Question> Questions,
        int HostsThatFit,
        IReadOnlyList<Refusal> Problems,
        decimal? TaxPercent = null,
        string? Warning = null)
    {
        public IEnumerable<string> Names => Lines.SelectMany(l => l.Names);

        public bool ApprovedByPolicy => Questions.Count == 0;
    }

    /// <param name="Who">Who may say yes, in words.</param>
    /// <param name="Why">A sentence.</param>
    public sealed record Question(PolicySide Side, string Name, string Who, string Why);

    /// <param name="What">In words.</param>
    /// <param name="Names">One for each VM; empty where they cannot be told yet.</param>
    /// <param name="Commands">What a build of its first VM does on its host, a line each; addresses are examples until the order is approved.</param>
    public sealed record Line(string What, IReadOnlyList<string> Names, Price Price, IReadOnlyList<string> Commands);

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
            IReadOnlyList<SideAnswer> answers = [];
            await using (var db = dbs.ForTenant(request.Tenant))
            {
                composed = await OrderComposer.ComposeAsync(db, request.Tenant, request.Form, ct);
                if (composed.Succeeded && actor.User is { } requester)
                {
                    answers = await db.AskPoliciesAsync(composed.Value, requester, await db.NowAsync(ct), ct);
                }

                if (composed.Succeeded && await db.CheckStockAsync(composed.Value.AskedOfPlans, ct) is { } none)
                {
                    problems.Add(none);
                }
            }

            if (!composed.TryGet(out var order, out var no))
            {
                return new Preview([], null, null, default, [], 0, problems.Count > 0 ? problems : [no, .. no.Also]);
            }

            problems.AddRange(order.NameProblems);
            problems.AddRange(new[] { order.Quota.CheckOrder(order.Asked), order.Spending.CheckOrder(order.Price.PerMonth) }.OfType<Refusal>());

            await using var system = dbs.ForSystem();
            var parties = await system.ReadPartiesAsync(order.Tenant.Id, [.. order.Lines.Select(l => l.Wants)], lockHosts: false, ct);
            var chosen = Placement.Choose(parties, out _);
            if (chosen is null)
            {
                problems.Add(await system.ReadWhyNotAsync(parties, ct));
            }

            return new Preview(
                [.. order.Lines.Select((line, i) => new Line(line.What, [.. line.Names.Select(n => n.Text)], line.PriceOfAll, CommandsOf(line, chosen?[i][0].Host)))],
                order.Price,
                order.Quota,
                order.Asked,
                [.. from side in answers from step in side.Answer.Steps.OrderBy(s => s.Stage) select new Question(side.Policy.Side, step.Name, PolicyWords.Who(step.Votes, step.Who), side.Answer.Why)],
                parties.SelectMany(p => p.Fitting).Select(r => r.Host.Id).Distinct().Count(),
                problems,
                order.TaxPercent,
                order.Spending.Warning(order.Price.PerMonth));
        }

        private IReadOnlyList<string> CommandsOf(LineComposition line, Hosts.Host? host) =>
            host is null || line.Names is [] ? [] : engines.For(host.Connection).Plan(ExampleSpec(line, host));

        private static DomainSpec ExampleSpec(LineComposition line, Hosts.Host host) => new()
        {
            Name = new DomainName(host.Instance, VmId.New(), 1),
            Vcpus = line.Size.Vcpus,
            Memory = line.Size.Memory,
            Disk = line.Size.Disk,
            Template = line.Version.Image,
            HostName = line.Names[0],
            Mac = MacAddress.OfSequence(0),
            Address = new GuestAddress(IPAddress.Any, 24, IPAddress.Any, IPAddress.Any),
            SshKeys = line.Keys,
            UserData = line.UserData,
        };
    }
}
