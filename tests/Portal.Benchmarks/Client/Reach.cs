using System.CommandLine;

namespace Portal.Benchmarks.Client;

/// <summary>Which portal, and who signs in: what both commands are told.</summary>
internal sealed class Reach
{
    private readonly Option<string> _url = new("--url")
    {
        Description = "Where the portal is. Of several, separated by semicolons, the first; 0.0.0.0 is this machine.",
        DefaultValueFactory = _ => "http://localhost:8080",
        HelpName = "URL",
    };

    // Given twice, the last counts: ./portal names the portal's own file first.
    private readonly Option<string[]> _accounts = new("--accounts")
    {
        Description = "A file with an e-mail address and a password on each line: somebody who orders, an approver, an operator. The first run writes one.",
        DefaultValueFactory = _ => [Path.Combine(Environment.GetEnvironmentVariable("PORTAL_DATA") ?? "var", "accounts.txt")],
        Arity = ArgumentArity.OneOrMore,
        HelpName = "FILE",
    };

    public void AddTo(Command command)
    {
        command.Options.Add(_url);
        command.Options.Add(_accounts);
    }

    /// <exception cref="Shortfall">The address is none.</exception>
    public Uri PortalOf(ParseResult given)
    {
        var text = given.GetValue(_url)!.Split(';')[0];
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps))
        {
            throw new Shortfall($"'{text}' is no address of a portal. One looks like http://localhost:8080");
        }

        return url.Host is "0.0.0.0" or "[::]" or "*" or "+" ? new UriBuilder(url) { Host = "localhost" }.Uri : url;
    }

    public Task<IReadOnlyList<Account>> AccountsOfAsync(ParseResult given, CancellationToken ct) => Account.ReadAsync(given.GetValue(_accounts)![^1], ct);
}
