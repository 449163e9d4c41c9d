using System.Text;

namespace Portal.Engine.Xen.Import;

/// <summary>A quoted text of a configuration.</summary>
/// <param name="End">Where it ends in the configuration, its quote included.</param>
/// <param name="Why">Why it cannot be read; null where it can.</param>
internal readonly record struct QuotedText(string Value, int End, string? Why)
{
    private const string NotClosed = "A quoted text is not closed on its line.";

    /// <param name="begin">Where its first quote is.</param>
    public static QuotedText Read(string text, int begin)
    {
        var quote = text[begin];
        var three = new string(quote, 3);
        var isLong = string.CompareOrdinal(text, begin, three, 0, 3) == 0;
        var close = isLong ? three : three[..1];
        var value = new StringBuilder();
        string? why = null;
        var at = begin + close.Length;
        while (at < text.Length && (isLong || text[at] != '\n'))
        {
            if (string.CompareOrdinal(text, at, close, 0, close.Length) == 0)
            {
                return new QuotedText(value.ToString(), at + close.Length, why);
            }

            if (text[at] != '\\' || at + 1 == text.Length)
            {
                value.Append(text[at++]);
                continue;
            }

            // A backslash at a line's end joins the lines: the article's listing breaks a disk's text that way.
            if (text[at + 1] != '\n')
            {
                // xl gives up at an escape that it does not know, Python keeps the backslash: what is meant cannot be told.
                why ??= Meaning(text[at + 1]) is null ? $"The escape \\{text[at + 1]} in a quoted text is not read." : null;
                value.Append(Meaning(text[at + 1]) ?? text[at + 1]);
            }

            at += 2;
        }

        // A long text that is never closed would hide every line below it.
        return new QuotedText("", isLong && text.IndexOf('\n', begin) is >= 0 and var line ? line : at, NotClosed);
    }

    private static char? Meaning(char escaped) => escaped switch
    {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        '\\' or '\'' or '"' => escaped,
        _ => null,
    };
}
