namespace Portal.Benchmarks.Client;

/// <summary>An e-mail address with its password.</summary>
internal sealed record Account(string Email, string Password)
{
    /// <summary>Reads the file that the first run writes: <c>e-mail  password  what for</c> on a line; lines without an @ in their first word are words to people.</summary>
    public static async Task<IReadOnlyList<Account>> ReadAsync(string path, CancellationToken ct)
    {
        string[] lines;
        try
        {
            lines = await File.ReadAllLinesAsync(path, ct);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new Shortfall($"The accounts cannot be read: {e.Message} Name a file with --accounts: an e-mail address and a password on each line.", e);
        }

        List<Account> accounts =
        [
            .. lines.Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
                .Where(w => w.Length >= 2 && w[0].Contains('@', StringComparison.Ordinal))
                .Select(w => new Account(w[0], w[1])),
        ];
        return accounts.Count > 0 ? accounts : throw new Shortfall($"{path} names no account. It has an e-mail address and a password on each line.");
    }
}
