using System.Globalization;
using System.Security.Cryptography;
using Portal.Benchmarks.Client;

namespace Portal.Benchmarks.Demo;

/// <summary>The main job, part by part. Each part proves what it says or ends the journey.</summary>
internal sealed class Journey(Cast cast, Teller teller, string? templateWanted, string? planWanted)
{
    private static readonly TimeSpan s_build = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan s_boot = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan s_answer = TimeSpan.FromSeconds(30);

    private readonly PortalClient _requester = cast.Requester;
    private readonly Guid _tenant = cast.Tenant.Id;
    private readonly Made _made = new(cast.Requester, cast.Tenant.Id);

    // A name of its own for each run, so that two may run beside each other.
    private readonly string _name = $"demo-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(3))}";

    public async Task RunAsync(CancellationToken ct)
    {
        await WhoAndWhereAsync(ct);
        var (template, plan) = await ChooseAsync(ct);
        var order = await OrderAsync(template, plan, ct);
        await ApproveAsync(order, ct);
        var vm = await BuildAsync(order, ct);
        await UseAsync(vm, template, ct);
        await TellUsageAsync("See what it costs", vm, order.Order.Price, open: true, ct);
        await DeleteAsync(vm, order.Order.Id, ct);
        await TellUsageAsync("See the final cost", vm, order.Order.Price, open: false, ct);
        await ProveNothingLeftAsync(vm, ct);
        teller.Title("");
        teller.Title($"All of it held, in {Teller.Seconds(teller.Elapsed)}.");
    }

    /// <summary>Takes back what a journey that ended early has made.</summary>
    public async Task RemoveAsync(CancellationToken ct)
    {
        foreach (var removed in await _made.RemoveAsync(ct))
        {
            teller.Line($"Cleared away: {removed}.");
        }
    }

    private async Task WhoAndWhereAsync(CancellationToken ct)
    {
        teller.Fact("orders", $"{_requester.Me.Email}, of {cast.Tenant.Name}");
        teller.Fact("approves", cast.Approver?.Me.Email ?? $"{cast.Tenant.Name}'s policy, by itself");
        teller.Fact("sees hosts", cast.Staff.Me.Email);
        foreach (var host in await cast.ReadyHostsAsync(() => teller.Line("Waiting for a host that is ready, with a template built ..."), ct))
        {
            teller.Fact("host", $"{host.Name}: {host.Hypervisor}");
            if (host.Problem is { } problem)
            {
                teller.Fact("", problem);
            }
        }
    }

    private async Task<(Template Template, Plan Plan)> ChooseAsync(CancellationToken ct)
    {
        teller.Part("Look at what can be ordered");
        var offer = await Offer.ReadAsync(_requester, cast.Tenant, ct);
        var template = offer.TemplateOf(templateWanted);
        teller.Fact("template", $"{template.Name} {template.Version}: {template.Description}");
        foreach (var p in offer.Plans)
        {
            teller.Fact($"plan {p.Name}", string.Create(CultureInfo.InvariantCulture, $"{p.Vcpus} vCPU, {p.MemoryMiB} MiB memory, {p.DiskGiB} GiB disk: ") + Words(p.Price));
        }

        return (template, offer.PlanOf(planWanted, template));
    }

    private async Task<OrderDetails> OrderAsync(Template template, Plan plan, CancellationToken ct)
    {
        teller.Part($"Order 1 x {plan.Name} with {template.Name}");
        var request = OrderRequest.Of(template.Slug, plan.Name, _name, "Ordered by the demo.");
        var preview = await _requester.PostAsync<Preview>($"tenants/{_tenant}/orders/preview", request, ct);
        if (preview.Problems.Count > 0)
        {
            throw new Shortfall($"This cannot be ordered now: {string.Join(" ", preview.Problems.Select(p => p.Message))}");
        }

        teller.Fact("preview", $"VM {string.Join(", ", preview.Lines.SelectMany(l => l.Names))}, {Words(preview.PriceOfAll)}; on the host:");
        foreach (var command in preview.Lines.SelectMany(l => l.Commands))
        {
            teller.Quote(command);
        }

        var (placed, key) = await _made.OrderAsync(request, ct);
        var details = await _requester.GetAsync<OrderDetails>($"orders/{placed.Id}", ct);
        teller.Fact("order", string.Create(CultureInfo.InvariantCulture, $"number {placed.Number}, {details.Order.State.ToLowerInvariant()}, {Words(details.Order.Price)}"));

        var again = await _requester.OrderAsync(_tenant, request, key, ct);
        if (again.Id != placed.Id || !again.Repeated || placed.Repeated)
        {
            throw new Shortfall($"The same Idempotency-Key made a second order: {placed.Number} and {again.Number}.");
        }

        teller.Fact("again", $"with the same Idempotency-Key: order {again.Number}, the same one");
        return details;
    }

    private async Task ApproveAsync(OrderDetails order, CancellationToken ct)
    {
        teller.Part("Approve");
        if (order.Order.State == "Waiting")
        {
            var approver = cast.Approver ?? throw cast.NobodyApproves;
            var waiting = await approver.GetAsync<IReadOnlyList<Order>>("approvals", ct);
            if (!waiting.Any(o => o.Id == order.Order.Id))
            {
                throw new Shortfall($"Order {order.Order.Number} waits, but is not among what {approver.Me.Email} may decide.");
            }

            teller.Fact("waiting", string.Create(CultureInfo.InvariantCulture, $"{waiting.Count}, among them order {order.Order.Number}: {order.Order.What}"));
            await approver.PostAsync($"orders/{order.Order.Id}/decision", new Decision("Approve"), ct);
        }

        var decided = await _requester.GetAsync<OrderDetails>($"orders/{order.Order.Id}", ct);
        if (decided.Order.State is "Waiting" or "Denied" or "Cancelled" or "Expired" || decided.Vms.Count != 1)
        {
            throw new Shortfall($"Order {order.Order.Number} should be approved with one VM; it is {decided.Order.State} with {decided.Vms.Count}. {decided.Problem}");
        }

        teller.Fact("approved", $"by {decided.Steps.SelectMany(s => s.Votes).LastOrDefault()?.By ?? "the policy"}; VM {decided.Vms[0].Name} exists from now on");
    }

    private async Task<OrderedVm> BuildAsync(OrderDetails order, CancellationToken ct)
    {
        teller.Part("Watch it being built");
        var vm = (await _requester.GetAsync<OrderDetails>($"orders/{order.Order.Id}", ct)).Vms[0];
        var build = (await _requester.GetAsync<IReadOnlyList<Operation>>($"tenants/{_tenant}/operations?vm={vm.Id}", ct)).Single(o => o.Kind == "Build");
        await FollowAsync(build.Id, "build", ct);
        var details = await _requester.GetAsync<VmDetails>($"tenants/{_tenant}/vms/{vm.Id}", ct);
        teller.Fact("address", $"{details.Vm.Ip}, {details.Mac}");
        var (host, inventory) = await HostOfAsync(vm.Id, ct);
        teller.Fact("host", $"{host.Name}: {host.Hypervisor}");
        teller.Fact("on it", string.Join(", ", [.. inventory.Domains.Select(d => $"domain {d.Name} ({d.State})"), .. inventory.Volumes.Select(v => v.Name)]));
        return vm;
    }

    private async Task UseAsync(OrderedVm vm, Template template, CancellationToken ct)
    {
        teller.Part("Work on its serial console");
        await using var console = await SerialConsole.OpenAsync(_requester, _tenant, vm.Id, ct);
        var boot = await console.UntilAsync("login: ", s_boot, ct);
        var lines = Lines(boot);
        teller.Fact("boot", string.Create(CultureInfo.InvariantCulture, $"{lines.Count} lines, from the first byte on:"));
        teller.Quote(lines[0].Length > 100 ? lines[0][..100] + " ..." : lines[0]);
        teller.Quote("...");
        teller.Quote(lines[^1]);
        teller.Fact("sign in", template.SignIn);
        await console.TypeAsync("root\r", ct);
        await console.UntilAsync("# ", s_answer, ct);

        var answer = await AskAsync(console, "hostname", ct);
        if (!answer.Contains(vm.Name))
        {
            throw new Shortfall($"The guest calls itself '{string.Join(" ", answer)}', not {vm.Name}: its seed did not reach it.");
        }

        await AskAsync(console, "uname -a", ct);
        // For whoever opens the console next.
        await console.TypeAsync("exit\r", ct);
    }

    private async Task<IReadOnlyList<string>> AskAsync(SerialConsole console, string command, CancellationToken ct)
    {
        await console.TypeAsync(command + "\r", ct);
        await console.UntilAsync(command, s_answer, ct);
        var answer = Lines(await console.UntilAsync("# ", s_answer, ct))[..^1];
        teller.Fact("typed", command);
        foreach (var line in answer)
        {
            teller.Quote(line);
        }

        return answer;
    }

    private async Task TellUsageAsync(string part, OrderedVm vm, Price price, bool open, CancellationToken ct)
    {
        teller.Part(part);
        var usage = await _requester.GetAsync<Usage>($"tenants/{_tenant}/usage", ct);
        var lines = usage.Lines.Where(l => l.Vm == vm.Id).ToList();
        foreach (var (meter, rate) in new[] { ("VmRunning", price.RunningPerHour), ("VmAllocated", price.AllocatedPerHour) })
        {
            var line = lines.SingleOrDefault(l => l.Meter == meter) ?? throw new Shortfall($"There is no usage of {vm.Name} under {meter}.");
            teller.Fact(meter == "VmRunning" ? "running" : "allocated", Sums.Check(line, rate, usage.Currency));
            if (line.Stretches[^1].Open != open)
            {
                throw new Shortfall($"The usage of {vm.Name} under {meter} {(open ? "should go on, but has ended" : "should have ended with the VM, but goes on")}.");
            }
        }

        teller.Fact(open ? "so far" : "in the end", $"{Sums.Exact(lines.Sum(l => l.Amount))} {usage.Currency}, recomputed from seconds and rate to ten decimals");
    }

    private async Task DeleteAsync(OrderedVm vm, Guid order, CancellationToken ct)
    {
        teller.Part("Delete it");
        var accepted = await _requester.DeleteAsync<Accepted>($"tenants/{_tenant}/vms/{vm.Id}?confirmName={vm.Name}", ct);
        await FollowAsync(accepted.Operation, "deletion", ct);
        _made.Forget(order);
    }

    private async Task ProveNothingLeftAsync(OrderedVm vm, CancellationToken ct)
    {
        teller.Part("See that nothing is left");
        List<string> left = [];
        var hosts = await cast.Staff.GetAsync<IReadOnlyList<Host>>("hosts", ct);
        foreach (var host in hosts.Where(h => h.Problem is null))
        {
            var here = Of(vm.Id, await cast.Staff.GetAsync<Inventory>($"hosts/{host.Id}/inventory", ct));
            left.AddRange(here.Domains.Select(d => $"domain {d.Name} ({d.State}) on {host.Name}"));
            left.AddRange(here.Volumes.Select(v => $"disk {v.Name} on {host.Name}"));
            left.AddRange(here.Addresses.Select(a => $"address {a.Ip} of {host.Name}"));
        }

        var usage = await _requester.GetAsync<Usage>($"tenants/{_tenant}/usage", ct);
        left.AddRange(usage.Lines.Where(l => l.Vm == vm.Id && l.Stretches.Any(s => s.Open)).Select(l => $"open usage under {l.Meter}"));
        left.AddRange((await _requester.GetAsync<VmPage>($"tenants/{_tenant}/vms?q={vm.Name}", ct)).Vms.Select(v => $"VM {v.Name} in the list"));
        if (left.Count > 0)
        {
            throw new Shortfall($"{vm.Name} is deleted, but this is left: {string.Join(", ", left)}. The hosts' page and the portal's log tell more.");
        }

        teller.Fact("domains", "none");
        teller.Fact("disks", "none");
        teller.Fact("addresses", "given back");
        teller.Fact("open usage", "none");
    }

    private async Task FollowAsync(Guid operation, string what, CancellationToken ct)
    {
        var told = new HashSet<int>();
        var ended = await _requester.FollowAsync(
            operation,
            o =>
            {
                foreach (var step in o.Steps.Where(s => s.FinishedAt is not null && told.Add(s.Ordinal)))
                {
                    teller.Fact(string.Create(CultureInfo.InvariantCulture, $"step {step.Ordinal} of {o.Steps.Count}"), $"{step.Words}: {step.State.ToLowerInvariant()} in {Teller.Seconds(step.FinishedAt!.Value - step.StartedAt!.Value)}");
                }
            },
            s_build,
            ct);
        if (ended.State != "Succeeded")
        {
            throw new Shortfall($"The {what} of {ended.VmName} ended as {ended.State}: {ended.Problem}");
        }

        teller.Fact("done", $"{Teller.Seconds(ended.FinishedAt!.Value - ended.CreatedAt)} after it was asked for");
    }

    private async Task<(Host Host, Inventory Inventory)> HostOfAsync(Guid vm, CancellationToken ct)
    {
        foreach (var host in (await cast.Staff.GetAsync<IReadOnlyList<Host>>("hosts", ct)).Where(h => h.Problem is null))
        {
            var here = Of(vm, await cast.Staff.GetAsync<Inventory>($"hosts/{host.Id}/inventory", ct));
            if (here.Domains.Count > 0)
            {
                return here.Volumes.Count > 0 && here.Addresses.Count == 1
                    ? (host, here)
                    : throw new Shortfall($"The domain is on {host.Name}, but with {here.Volumes.Count} disks and {here.Addresses.Count} addresses.");
            }
        }

        throw new Shortfall("The build succeeded, but no host has a domain of this VM.");
    }

    private static Inventory Of(Guid vm, Inventory all) =>
        new([.. all.Domains.Where(d => d.Vm == vm)], [.. all.Volumes.Where(v => v.Vm == vm)], [.. all.Addresses.Where(a => a.Vm == vm)]);

    private static List<string> Lines(string text) => [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];

    private static string Words(Price? price) => price is null
        ? "no price yet"
        : string.Create(CultureInfo.InvariantCulture, $"{price.PerHour:0.0000######} {price.Currency} an hour while it runs, {Math.Round(price.PerMonth, 2, MidpointRounding.ToEven):0.00} {price.Currency} a month");
}
