namespace Portal.Engine.Shell;

/// <summary>Writes words so that a POSIX shell reads them as they are.</summary>
internal static class ShellQuote
{
    /// <exception cref="ArgumentException">The word holds a NUL, which no argument can.</exception>
    public static string Word(string word)
    {
        if (word.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException("An argument cannot hold a NUL.", nameof(word));
        }

        return word.Length > 0 && word.All(IsPlain) ? word : "'" + word.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
    }

    private static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/' or ':' or ',' or '=' or '+' or '@' or '%';
}
