using System.CommandLine;
using System.Text.Json;
using Portal.Benchmarks.Client;
using Portal.Benchmarks.Engine;

namespace Portal.Benchmarks.Bench;

/// <summary>The command <c>bench</c>.</summary>
internal static class BenchCommand
{
    private const string Core = "core";
    private const string Engine = "engine";

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static Command Create()
    {
        var reach = new Reach();
        var name = new Argument<string>("NAME") { Description = "What to measure: core or engine." };
        name.AcceptOnlyFromAmong(Core, Engine);
        var json = new Option<FileInfo?>("--json") { Description = "Writes figures and machine to a file, for programs.", HelpName = "FILE" };
        var check = new Option<bool>("--check") { Description = "Ends with 2 where a goal is missed." };
        var orders = Count("--orders", 100, 50, "Orders (and jobs of Hangfire's own) to measure.");
        var builds = Count("--builds", 20, 1, "Builds to measure.");
        var keys = Count("--keys", 500, 100, "Keys to measure on the console.");
        var pairs = Count("--pairs", 9, 1, "VMs to make by the engine, and as many by a script.");
        var hosts = Count("--hosts", 1000, 1, "Simulated hosts to look at, with a hundred domains each.");
        var command = new Command(
            "bench",
            """
            Measures a portal, and beside each figure the least that it could be on this machine at this moment (the floor, in the same run). One line
            per figure, on standard output; what is told to people goes to standard error:

              NAME VALUE UNIT floor=F ratio=R goal=G ok|short

            core: order_accepted_p95             an order placed over REST          floor: an empty request and a commit of one row
                  approved_to_first_line         approved, to the guest's first     floor: qemu-img, genisoimage, virsh define and start by hand,
                                                 line on its console                       for the same domain; goal: that + 1 s
                  approved_to_first_command_p95  approved, to the first step        floor: Hangfire alone, enqueue to start, on the same
                                                                                           PostgreSQL; goal: that + 50 ms
                  console_echo_p99               a key, to its echo, through        floor: the same straight on the UNIX socket of a guest
                                                 the portal                                like it; goal: that + 5 ms

            engine: engine_step_p50              one command on a Xen host          floor: the same on an open connection; goal: 1.2 x
                    engine_vm_ratio              a whole VM by the engine, over    goal: 1.05, the median of the pairs
                                                 the same commands by a script
                    ssh_handshakes               sign-ins on the host meanwhile    goal: 1
                    fleet_reconciled             1000 simulated hosts x 100        floor: their listings alone; goal: 60 s
                                                 domains, held against the books

            On simulated hosts approved_to_first_line is left out, and the console's floor is a UNIX socket without a guest. The floors need the
            portal's database (ConnectionStrings__Portal) and, on real hosts, root on the portal's own machine. Figures of a machine that does
            something else meanwhile are worth little. Whatever was made is removed, also after Ctrl-C.

              ./portal bench core                     a portal of its own in a directory that is thrown away
              ./portal bench core --url URL           one that is up (its accounts with --accounts)
              ./portal bench core --json figures.json --check
              ./portal bench engine                   on the lab's Xen host, which it starts and stops
            """);
        command.Arguments.Add(name);
        reach.AddTo(command);
        command.Options.Add(json);
        command.Options.Add(check);
        command.Options.Add(orders);
        command.Options.Add(builds);
        command.Options.Add(keys);
        command.Options.Add(pairs);
        command.Options.Add(hosts);
        command.SetAction((given, ct) => given.GetValue(name) == Engine
            ? EngineAsync(given.GetValue(pairs), given.GetValue(hosts), new Report(given.GetValue(json), given.GetValue(check)), ct)
            : CoreAsync(given, reach, given.GetValue(orders), given.GetValue(builds), given.GetValue(keys), new Report(given.GetValue(json), given.GetValue(check)), ct));
        return command;
    }

    private static async Task<int> CoreAsync(ParseResult given, Reach reach, int orders, int builds, int keys, Report report, CancellationToken ct)
    {
        var teller = Teller.OnError();
        Cast? cast = null;
        Scratch? scratch = null;
        CoreBench? core = null;
        try
        {
            return await CommandEdge.RunAsync(
                teller,
                async token =>
                {
                    var portal = reach.PortalOf(given);
                    cast = await Cast.SignInAsync(portal, await reach.AccountsOfAsync(given, token), token);
                    var host = (await cast.ReadyHostsAsync(() => teller.Line("Waiting for a host that is ready ..."), token)).First(h => h.IsReady);
                    scratch = await Scratch.MakeAsync(token);
                    var machine = await Machine.LookAsync(scratch.Database, host, token);
                    teller.Title($"The portal at {portal.GetLeftPart(UriPartial.Authority)}: {machine}");
                    core = new CoreBench(cast, scratch, teller, orders, builds, keys);
                    return await report.TellAsync(await core.MeasureAsync(host, token), machine, teller, token);
                },
                token => core?.RemoveAsync(token) ?? Task.CompletedTask,
                ct);
        }
        finally
        {
            cast?.Dispose();
            if (scratch is not null)
            {
                await scratch.DisposeAsync();
            }
        }
    }

    private static async Task<int> EngineAsync(int pairs, int hosts, Report report, CancellationToken ct)
    {
        var teller = Teller.OnError();
        EngineBench? engine = null;
        LabRoot? root = null;
        try
        {
            return await CommandEdge.RunAsync(
                teller,
                async token =>
                {
                    var machine = await Machine.LookAsync("Xen in the lab", token);
                    teller.Title($"The engine: {machine}");
                    root = await LabRoot.ConnectAsync(token);
                    engine = new EngineBench(root, teller, pairs);
                    var figures = await engine.MeasureAsync(token);
                    return await report.TellAsync([.. figures, await new FleetBench(teller, hosts, 100).MeasureAsync(token)], machine, teller, token);
                },
                token => engine?.RemoveAsync(token) ?? Task.CompletedTask,
                ct);
        }
        finally
        {
            if (engine is not null)
            {
                await engine.DisposeAsync();
            }

            root?.Dispose();
        }
    }

    /// <summary>Where figures go, and whether a goal that is missed is a failure.</summary>
    private sealed record Report(FileInfo? Json, bool Check)
    {
        public async Task<int> TellAsync(IReadOnlyList<Figure> figures, Machine machine, Teller teller, CancellationToken ct)
        {
            teller.Line();
            foreach (var figure in figures)
            {
                Console.WriteLine(figure);
            }

            if (Json is not null)
            {
                await File.WriteAllTextAsync(Json.FullName, JsonSerializer.Serialize(new { at = TimeProvider.System.GetUtcNow(), machine, figures }, s_json) + "\n", ct);
            }

            return Check && figures.Any(f => !f.IsMet) ? 2 : 0;
        }
    }

    private static Option<int> Count(string name, int usual, int least, string description)
    {
        var option = new Option<int>(name) { Description = $"{description} At least {least}.", DefaultValueFactory = _ => usual, HelpName = "N" };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < least)
            {
                result.AddError($"{name} is at least {least}.");
            }
        });
        return option;
    }
}
