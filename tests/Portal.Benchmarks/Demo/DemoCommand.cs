using System.CommandLine;
using Portal.Benchmarks.Client;

namespace Portal.Benchmarks.Demo;

/// <summary>The command <c>demo</c>.</summary>
internal static class DemoCommand
{
    public static Command Create()
    {
        var reach = new Reach();
        var template = new Option<string?>("--template") { Description = "The template's slug. Without it: the first on offer.", HelpName = "SLUG" };
        var plan = new Option<string?>("--plan") { Description = "The plan's name. Without it: the cheapest that holds the template.", HelpName = "NAME" };
        var command = new Command(
            "demo",
            """
            The portal's main job from order to delete, without a browser: signs in, orders a VM (twice with the same Idempotency-Key, which is one order),
            approves as another person, follows the build step by step, signs in on the guest's serial console and runs a command there, recomputes what
            it cost from seconds and rate to ten decimals, deletes it, and proves that no disk, domain, address or open usage is left.

            Works on any portal that is up, on real machines and on simulated ones, and says on which. Whatever it made it removes, also after a failure
            or Ctrl-C. Ends with 0 where every part held, 130 after Ctrl-C, 1 otherwise; the last line then says what failed and what to do.

              ./portal demo                                          on the portal of this checkout
              ./portal demo --plan M --template tiny-linux           another size
              ./portal demo --url https://portal.example --accounts people.txt
            """);
        reach.AddTo(command);
        command.Options.Add(template);
        command.Options.Add(plan);
        command.SetAction(async (given, ct) =>
        {
            var teller = Teller.OnConsole();
            Journey? journey = null;
            Cast? cast = null;
            try
            {
                return await CommandEdge.RunAsync(
                    teller,
                    async token =>
                    {
                        var portal = reach.PortalOf(given);
                        teller.Title($"The main job of the portal at {portal.GetLeftPart(UriPartial.Authority)}, over its REST API");
                        teller.Part("Sign in");
                        cast = await Cast.SignInAsync(portal, await reach.AccountsOfAsync(given, token), token);
                        journey = new Journey(cast, teller, given.GetValue(template), given.GetValue(plan));
                        await journey.RunAsync(token);
                        return 0;
                    },
                    token => journey?.RemoveAsync(token) ?? Task.CompletedTask,
                    ct);
            }
            finally
            {
                cast?.Dispose();
            }
        });
        return command;
    }
}
