using System.Globalization;
using System.Net.WebSockets;
using System.Security.Cryptography;
using Portal.Benchmarks.Client;

namespace Portal.Benchmarks.Bench;

/// <summary>The figures of the main job: order, build, console.</summary>
internal sealed class CoreBench(Cast cast, Scratch scratch, Teller teller, int orders, int builds, int keys)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(10);

    private readonly Made _made = new(cast.Requester, cast.Tenant.Id);
    private readonly string _prefix = $"bench-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(3))}";
    private int _number;

    public Task RemoveAsync(CancellationToken ct) => _made.RemoveAsync(ct);

    /// <param name="host">Where the portal's machines are.</param>
    public async Task<IReadOnlyList<Figure>> MeasureAsync(Host host, CancellationToken ct)
    {
        var offer = await Offer.ReadAsync(cast.Requester, cast.Tenant, ct);
        var template = offer.TemplateOf(null);
        var plan = offer.PlanOf(null, template);
        List<Figure> figures = [await OrdersAsync(template, plan, ct)];

        teller.Part("A job of Hangfire's own, without a portal");
        var hangfire = await OwnJobs.MeasureAsync(scratch, orders, ct);
        teller.Fact("start of a job", hangfire.ToString());

        figures.AddRange(await BuildsAsync(host, template, plan, hangfire, ct));
        figures.Add(await EchoAsync(host, template, plan, ct));
        return figures;
    }

    private async Task<Figure> OrdersAsync(Template template, Plan plan, CancellationToken ct)
    {
        const int WarmUp = 10;
        teller.Part("Orders accepted, each taken back at once");
        var (accepted, floor) = (new Samples(), new Samples());
        for (var i = -WarmUp; i < orders; i++)
        {
            var placed = Guid.Empty;
            var order = await TimeAsync(async () => placed = (await OrderAsync(template, plan, ct)).Id);
            var least = await TimeAsync(async () =>
            {
                await cast.Requester.TouchAsync("health/live", ct);
                await scratch.CommitAsync(ct);
            });
            await _made.RemoveAsync(ct);
            if (i >= 0)
            {
                accepted.Add(order);
                floor.Add(least);
            }
        }

        teller.Fact("POST order", accepted.ToString());
        teller.Fact("floor", floor + ": an empty request, and a commit of one row");
        return new Figure("order_accepted_p95", accepted.Percentile(95), "ms", floor.Percentile(95), 100, $"POST /orders, {accepted}");
    }

    private async Task<IReadOnlyList<Figure>> BuildsAsync(Host host, Template template, Plan plan, Samples hangfire, CancellationToken ct)
    {
        teller.Part("Builds, through the portal and by hand in turns");
        var (firstStep, firstLine, byHand) = (new Samples(), new Samples(), new Samples());
        for (var i = 0; i < builds; i++)
        {
            var placed = await OrderAsync(template, plan, ct);
            var began = TimeProvider.System.GetTimestamp();
            var vm = await ApproveAsync(placed, ct);
            await using (var console = await ConsoleAsync(vm, ct))
            {
                await console.UntilAsync("\n", s_patience, ct);
            }

            firstLine.Add(TimeProvider.System.GetElapsedTime(began));
            var details = await cast.Requester.GetAsync<OrderDetails>($"orders/{placed.Id}", ct);
            var build = await BuildOfAsync(vm, ct);
            // Both from the database's clock.
            firstStep.Add(build.Steps[0].StartedAt!.Value - details.Steps.SelectMany(s => s.Votes).Select(v => v.At).Append(details.Order.CreatedAt).Max());
            if (!host.IsSimulated)
            {
                await using var raw = await RawGuest.LikeAsync(await DomainOfAsync(host, vm, ct), ct);
                await _made.RemoveAsync(ct);
                byHand.Add(await raw.BuildAsync(ct));
            }

            await _made.RemoveAsync(ct);
        }

        teller.Fact("first step", firstStep + " after the decision");
        teller.Fact("first line", firstLine + " after the decision was sent");
        var goal = hangfire.Percentile(95) + 50;
        List<Figure> figures = [new("approved_to_first_command_p95", firstStep.Percentile(95), "ms", hangfire.Percentile(95), goal, $"decision to first step, {firstStep}; Hangfire alone, {hangfire}")];
        if (host.IsSimulated)
        {
            teller.Fact("by hand", "not on a simulated host: approved_to_first_line is left out");
            return figures;
        }

        teller.Fact("by hand", byHand + ": qemu-img create, genisoimage, virsh define, virsh start");
        return [new("approved_to_first_line", firstLine.Median / 1000, "s", byHand.Median / 1000, (byHand.Median / 1000) + 1, $"medians; portal {firstLine}; by hand {byHand}"), .. figures];
    }

    private async Task<Figure> EchoAsync(Host host, Template template, Plan plan, CancellationToken ct)
    {
        teller.Part("Keys on the console, through the portal and straight in turns");
        var vm = await ApproveAsync(await OrderAsync(template, plan, ct), ct);
        await using var console = await ConsoleAsync(vm, ct);
        await console.UntilAsync("login: ", s_patience, ct);
        await cast.Requester.FollowAsync((await BuildOfAsync(vm, ct)).Id, _ => { }, s_patience, ct);
        await console.TypeAsync("root\r", ct);
        await console.UntilAsync("# ", s_patience, ct);
        if (host.IsSimulated)
        {
            using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
            var path = Path.Combine(Path.GetTempPath(), $"{_prefix}.sock");
            var (line, other) = Echo.OverSocket(path, end.Token);
            try
            {
                return Tell(await Echo.MeasureAsync(console, line, keys, ct), "a UNIX socket that sends back what comes: no guest behind it");
            }
            finally
            {
                line.Dispose();
                await other;
                File.Delete(path);
            }
        }

        // Nobody edits a line there: each key comes back as itself, once.
        await console.TypeAsync("cat\r", ct);
        await console.UntilAsync("cat\r\n", s_patience, ct);
        await using var raw = await RawGuest.LikeAsync(await DomainOfAsync(host, vm, ct), ct);
        await raw.BuildAsync(ct);
        using var straight = await raw.SignInAsync(ct);
        return Tell(await Echo.MeasureAsync(console, straight, keys, ct), "the UNIX socket of a guest like it");
    }

    private Figure Tell((Samples Portal, Samples Raw) measured, string rawIs)
    {
        teller.Fact("through portal", measured.Portal.ToString());
        teller.Fact("straight", $"{measured.Raw}: {rawIs}");
        return new("console_echo_p99", measured.Portal.Percentile(99), "ms", measured.Raw.Percentile(99), measured.Raw.Percentile(99) + 5, $"portal {measured.Portal}; straight ({rawIs}) {measured.Raw}");
    }

    private async Task<Placed> OrderAsync(Template template, Plan plan, CancellationToken ct) =>
        (await _made.OrderAsync(OrderRequest.Of(template.Slug, plan.Name, string.Create(CultureInfo.InvariantCulture, $"{_prefix}-{++_number}"), "Ordered by the bench."), ct)).Placed;

    private async Task<Guid> ApproveAsync(Placed placed, CancellationToken ct)
    {
        if (cast.Approver is { } approver)
        {
            await approver.PostAsync($"orders/{placed.Id}/decision", new Decision("Approve"), ct);
        }

        return (await cast.Requester.GetAsync<OrderDetails>($"orders/{placed.Id}", ct)).Vms is [var vm] ? vm.Id : throw cast.NobodyApproves;
    }

    private async Task<Operation> BuildOfAsync(Guid vm, CancellationToken ct) =>
        (await cast.Requester.GetAsync<IReadOnlyList<Operation>>($"tenants/{cast.Tenant.Id}/operations?vm={vm}", ct)).Single(o => o.Kind == "Build");

    private async Task<string> DomainOfAsync(Host host, Guid vm, CancellationToken ct) =>
        (await cast.Staff.GetAsync<Inventory>($"hosts/{host.Id}/inventory", ct)).Domains.Single(d => d.Vm == vm).Name;

    /// <summary>The console as soon as there is one: tried from the moment when the domain is being started.</summary>
    private async Task<SerialConsole> ConsoleAsync(Guid vm, CancellationToken ct)
    {
        var build = await BuildOfAsync(vm, ct);
        build = await Following.UntilAsync(
            () => cast.Requester.GetAsync<Operation>($"operations/{build.Id}", ct), o => o.HasEnded || o.Steps[^1].StartedAt is not null, s_look, s_patience, ct);
        if (build.State is "Failed" or "Cancelled")
        {
            throw new Shortfall($"The build of {build.VmName} ended as {build.State}: {build.Problem}");
        }

        var console = await Following.UntilAsync(
            async () =>
            {
                try
                {
                    return await SerialConsole.OpenAsync(cast.Requester, cast.Tenant.Id, vm, ct);
                }
                catch (Exception e) when (e is WebSocketException or PortalSaidNo)
                {
                    return null;
                }
            },
            c => c is not null,
            s_look,
            s_patience,
            ct);
        return console ?? throw new Shortfall($"The console of {build.VmName} did not open within {s_patience.TotalSeconds:0} s.");
    }

    private static async Task<TimeSpan> TimeAsync(Func<Task> act)
    {
        var began = TimeProvider.System.GetTimestamp();
        await act();
        return TimeProvider.System.GetElapsedTime(began);
    }
}
