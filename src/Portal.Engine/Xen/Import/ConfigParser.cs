using System.Globalization;
using System.Text;

namespace Portal.Engine.Xen.Import;

/// <summary>
/// Reads the settings out of a configuration of xl or xm. xm ran these files as Python; here nothing is run. What is more than a key and a
/// constant is a problem of its line, and the next line is read as if nothing had been.
/// </summary>
internal sealed class ConfigParser
{
    // vnuma has lists in lists in a list; deeper ones are nobody's configuration, and this keeps them off the stack.
    private const int Deepest = 8;

    private static readonly HashSet<string> s_blocks = ["def", "class", "if", "elif", "else", "for", "while", "with", "try", "except", "finally"];

    private readonly string[] _lines;
    private readonly ConfigLexer _lexer;
    private readonly List<ConfigSetting> _settings = [];
    private readonly List<NotUnderstoodSetting> _problems = [];
    private Token _token;
    private int _depth;
    private (int Line, string Why) _failure;

    private ConfigParser(string text)
    {
        _lines = text.Split('\n');
        _lexer = new ConfigLexer(text);
    }

    /// <summary>Reads any text; none is a fault.</summary>
    public static ConfigScript Read(string text)
    {
        var parser = new ConfigParser(text.TrimStart('\uFEFF').Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n'));
        parser.Advance();
        while (parser._token.Kind != TokenKind.End)
        {
            parser.Statement();
        }

        return new ConfigScript(parser._settings, parser._problems);
    }

    private void Statement()
    {
        if (_token.Kind is TokenKind.NewLine or TokenKind.Semicolon)
        {
            _depth = 0;
            Advance();
            return;
        }

        var first = _token;
        string? key = null;
        if (Setting(ref key) is { } setting)
        {
            _settings.Add(setting);
        }
        else
        {
            Recover(first, key);
        }
    }

    private ConfigSetting? Setting(ref string? key)
    {
        var name = _token;
        Advance();
        if (name.Kind != TokenKind.Name || _token.Kind is not (TokenKind.Assign or TokenKind.Add))
        {
            Fail(name.Kind == TokenKind.Broken ? name.Text : "This sets no key to a value.", name.Line);
            return null;
        }

        key = name.Text;
        var adds = _token.Kind == TokenKind.Add;
        Advance();
        if (Value() is not { } value)
        {
            return null;
        }

        if (_token.Kind is not (TokenKind.NewLine or TokenKind.Semicolon or TokenKind.End))
        {
            Fail(_token.Kind == TokenKind.Broken ? _token.Text : $"After the value stands {Quote(_token)}: what has to be computed is not read.", _token.Line);
            return null;
        }

        return new ConfigSetting(key, value, name.Line, adds);
    }

    private ConfigValue? Value()
    {
        switch (_token.Kind)
        {
            case TokenKind.Text:
                return Text();
            case TokenKind.Number or TokenKind.Minus:
                return Number();
            case TokenKind.Open when _token.Text == "[" && _depth <= Deepest:
                return List();
            case TokenKind.Broken:
                return Fail(_token.Text, _token.Line);
            case TokenKind.NewLine or TokenKind.Semicolon or TokenKind.End:
                return Fail("The value is missing.", _token.Line);
            default:
                return Fail($"A value is a quoted text, a whole number or a list of them; here stands {Quote(_token)}, and Python is not run.", _token.Line);
        }
    }

    private ConfigText Text()
    {
        var line = _token.Line;
        var text = new StringBuilder();
        while (_token.Kind == TokenKind.Text)
        {
            text.Append(_token.Text);
            Advance();
            if (_depth > 0)
            {
                SkipNewLines();
            }
        }

        return new ConfigText(text.ToString(), line);
    }

    private ConfigValue? Number()
    {
        var line = _token.Line;
        var negative = _token.Kind == TokenKind.Minus;
        if (negative)
        {
            Advance();
        }

        var word = _token;
        if (word.Kind != TokenKind.Number || !TryNumber(word.Text, out var number))
        {
            return Fail($"{Quote(word)} is no whole number.", word.Line);
        }

        Advance();
        return new ConfigNumber(negative ? -number : number, line);
    }

    private ConfigValue? List()
    {
        var line = _token.Line;
        List<ConfigValue> items = [];
        Advance();
        while (true)
        {
            SkipNewLines();
            if (_token.Kind is TokenKind.NewLine or TokenKind.End)
            {
                return Fail("The list that begins here is not closed.", line);
            }

            if (_token is { Kind: TokenKind.Close, Text: "]" })
            {
                Advance();
                return new ConfigList(items, line);
            }

            if (Value() is not { } item)
            {
                return null;
            }

            items.Add(item);
            SkipNewLines();
            if (_token.Kind == TokenKind.Comma)
            {
                Advance();
            }
            else if (_token.Kind is not (TokenKind.Close or TokenKind.NewLine or TokenKind.End))
            {
                return Fail(_token.Kind == TokenKind.Broken ? _token.Text : $"In the list stands {Quote(_token)}: what has to be computed is not read.", _token.Line);
            }
        }
    }

    /// <summary>Stops before a line that sets something: there the list ended, though nobody closed it.</summary>
    private void SkipNewLines()
    {
        while (_token.Kind == TokenKind.NewLine && !_lexer.AtSetting)
        {
            Advance();
        }
    }

    private void Recover(Token first, string? key)
    {
        while (_token.Kind != TokenKind.End && !(_token.Kind == TokenKind.NewLine && (_depth <= 0 || _lexer.AtSetting)))
        {
            Advance();
        }

        var body = first.Kind == TokenKind.Name && key is null && s_blocks.Contains(first.Text) ? _lexer.SkipIndented() : 0;
        _problems.Add(new NotUnderstoodSetting(
            _failure.Line,
            key,
            _lines[_failure.Line - 1].Trim(),
            body == 0 ? _failure.Why : string.Create(CultureInfo.InvariantCulture, $"This is Python, and Python is not run; nor is what belongs to it, up to line {body}.")));
    }

    private ConfigValue? Fail(string why, int line)
    {
        _failure = (line, why);
        return null;
    }

    private void Advance()
    {
        _token = _lexer.Next();
        _depth += _token.Kind switch
        {
            TokenKind.Open => 1,
            TokenKind.Close => -1,
            _ => 0,
        };
    }

    private static bool TryNumber(string word, out long number)
    {
        number = 0;
        if (word.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            return long.TryParse(word.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number) && number >= 0;
        }

        // Both xl and xm read 010 as eight; who wrote it hardly meant that.
        return (word == "0" || word[0] != '0') && long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    private static string Quote(Token token) => token.Kind switch
    {
        TokenKind.NewLine or TokenKind.End => "the end of the line",
        TokenKind.Text => "a quoted text",
        _ => $"'{token.Text}'",
    };
}
