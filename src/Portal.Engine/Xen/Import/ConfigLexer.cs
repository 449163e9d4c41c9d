namespace Portal.Engine.Xen.Import;

internal enum TokenKind
{
    End,
    NewLine,
    Semicolon,
    Name,

    /// <summary>A quoted text, already without quotes and escapes.</summary>
    Text,

    /// <summary>What begins with a digit, be it a number or not.</summary>
    Number,
    Open,
    Close,
    Comma,
    Assign,
    Add,
    Minus,

    /// <summary>A sign that only Python has a use for.</summary>
    Sign,

    /// <summary>Cannot be read; the token's text says why.</summary>
    Broken,
}

/// <summary>The smallest part of a configuration that means something.</summary>
internal readonly record struct Token(TokenKind Kind, string Text, int Line);

/// <summary>Cuts a configuration into tokens. Comments and joined lines are gone afterwards.</summary>
/// <param name="text">With line feeds alone at its lines' ends.</param>
internal sealed class ConfigLexer(string text)
{
    private int _at;
    private int _line = 1;

    /// <summary>Whether what comes next is a line that sets something, whatever was left open before it.</summary>
    public bool AtSetting
    {
        get
        {
            var at = _at;
            while (at < text.Length && IsOfName(text[at]))
            {
                at++;
            }

            var named = at > _at && !char.IsAsciiDigit(text[_at]);
            while (at < text.Length && text[at] is ' ' or '\t')
            {
                at++;
            }

            return named && (Stands("+=", at) || (Stands("=", at) && !Stands("==", at)));
        }
    }

    public Token Next()
    {
        SkipBlanks();
        if (_at == text.Length)
        {
            return new Token(TokenKind.End, "", _line);
        }

        var sign = text[_at];
        return sign switch
        {
            '\n' => NewLine(),
            '\'' or '"' => Quoted(),
            _ when char.IsAsciiDigit(sign) => Word(TokenKind.Number),
            _ when IsOfName(sign) => Word(TokenKind.Name),
            _ when Stands("+=", _at) => Signs(TokenKind.Add, 2),
            _ when Stands("==", _at) => Signs(TokenKind.Sign, 2),
            _ => Signs(KindOf(sign), 1),
        };
    }

    /// <summary>Passes over the body of a Python block: lines that are indented, empty or comments.</summary>
    /// <returns>The last line that is indented; 0 where none is.</returns>
    public int SkipIndented()
    {
        var last = 0;
        while (_at < text.Length && text[_at] is ' ' or '\t' or '\n' or '#')
        {
            last = text[_at] is ' ' or '\t' && !text.AsSpan(_at..EndOfLine()).IsWhiteSpace() ? _line : last;
            SkipLine();
        }

        return last;
    }

    private Token NewLine()
    {
        var token = new Token(TokenKind.NewLine, "", _line);
        SkipLine();
        return token;
    }

    private Token Word(TokenKind kind)
    {
        var begin = _at;
        while (_at < text.Length && IsOfName(text[_at]))
        {
            _at++;
        }

        return new Token(kind, text[begin.._at], _line);
    }

    private Token Signs(TokenKind kind, int length)
    {
        _at += length;
        return new Token(kind, text.Substring(_at - length, length), _line);
    }

    private Token Quoted()
    {
        var read = QuotedText.Read(text, _at);
        var token = read.Why is null ? new Token(TokenKind.Text, read.Value, _line) : new Token(TokenKind.Broken, read.Why, _line);
        _line += text.AsSpan(_at..read.End).Count('\n');
        _at = read.End;
        return token;
    }

    private void SkipBlanks()
    {
        while (_at < text.Length)
        {
            if (text[_at] is ' ' or '\t' or '\f')
            {
                _at++;
            }
            else if (text[_at] == '#')
            {
                _at = EndOfLine();
            }
            else if (Stands("\\\n", _at))
            {
                SkipLine();
            }
            else
            {
                return;
            }
        }
    }

    private void SkipLine()
    {
        _at = EndOfLine();
        if (_at < text.Length)
        {
            _at++;
            _line++;
        }
    }

    private int EndOfLine() => text.IndexOf('\n', _at) is >= 0 and var end ? end : text.Length;

    private bool Stands(string signs, int at) => string.CompareOrdinal(text, at, signs, 0, signs.Length) == 0;

    private static TokenKind KindOf(char sign) => sign switch
    {
        ';' => TokenKind.Semicolon,
        '[' or '(' or '{' => TokenKind.Open,
        ']' or ')' or '}' => TokenKind.Close,
        ',' => TokenKind.Comma,
        '=' => TokenKind.Assign,
        '-' => TokenKind.Minus,
        _ => TokenKind.Sign,
    };

    private static bool IsOfName(char sign) => char.IsAsciiLetterOrDigit(sign) || sign is '_' or '.';
}
