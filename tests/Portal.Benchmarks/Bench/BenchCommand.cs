using System.CommandLine;
using System.Text.Json;
using Portal.Benchmarks.Client;

namespace Portal.Benchmarks.Bench;

/// <summary>The command <c>bench</c>.</summary>
internal static class BenchCommand
{
    private const string Core = "core";

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static Command Create()
    {
        var reach = new Reach();
        var names = new Argument<string[]>("NAME") { Description = "What to measure: core.", Arity = ArgumentArity.OneOrMore };
        names.AcceptOnlyFromAmong(Core);
        var json = new Option<FileInfo?>("--json") { Description = "Writes figures and machine to a file, for programs.", HelpName = "FILE" };
        var check = new Option<bool>("--check") { Description = "Ends with 2 where a goal is missed." };
        var orders = Count("--orders", 100, 50, "Orders (and jobs of Hangfire's own) to measure.");
        var builds = Count("--builds", 20, 1, "Builds to measure.");
        var keys = Count("--keys", 500, 100, "Keys to measure on the console.");
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

            On simulated hosts approved_to_first_line is left out, and the console's floor is a UNIX socket without a guest. The floors need the
            portal's database (ConnectionStrings__Portal) and, on real hosts, root on the portal's own machine. Figures of a machine that does
            something else meanwhile are worth little. Whatever was made is removed, also after Ctrl-C.

              ./portal bench core                     a portal of its own in a directory that is thrown away
              ./portal bench core --url URL           one that is up (its accounts with --accounts)
              ./portal bench core --json figures.json --check
            """);
        command.Arguments.Add(names);
        reach.AddTo(command);
        command.Options.Add(json);
        command.Options.Add(check);
        command.Options.Add(orders);
        command.Options.Add(builds);
        command.Options.Add(keys);
        command.SetAction(async (given, ct) =>
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
                        core = new CoreBench(cast, scratch, teller, given.GetValue(orders), given.GetValue(builds), given.GetValue(keys));
                        var figures = await core.MeasureAsync(host, token);
                        teller.Line();
                        foreach (var figure in figures)
                        {
                            Console.WriteLine(figure);
                        }

                        if (given.GetValue(json) is { } file)
                        {
                            await File.WriteAllTextAsync(file.FullName, JsonSerializer.Serialize(new { at = TimeProvider.System.GetUtcNow(), machine, figures }, s_json) + "\n", token);
                        }

                        return given.GetValue(check) && figures.Any(f => !f.IsMet) ? 2 : 0;
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
        });
        return command;
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
