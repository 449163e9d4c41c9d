using System.Globalization;

namespace Portal.Kernel;

/// <summary>A currency by its ISO 4217 code.</summary>
public readonly record struct Currency
{
    private readonly string? _code;

    /// <exception cref="ArgumentException">Not three capital letters.</exception>
    public Currency(string code)
    {
        ArgumentNullException.ThrowIfNull(code);
        if (code.Length != 3 || !code.All(char.IsAsciiLetterUpper))
        {
            throw new ArgumentException("A currency code is three capital letters, such as EUR.", nameof(code));
        }

        _code = code;
    }

    public static Currency Eur => new("EUR");

    public string Code => _code ?? "EUR";

    /// <summary>Decimals of the smallest coin (ISO 4217, list one: the currencies that differ from 2).</summary>
    public int MinorUnits => Code switch
    {
        "BHD" or "IQD" or "JOD" or "KWD" or "LYD" or "OMR" or "TND" => 3,
        "CLF" or "UYW" => 4,
        "BIF" or "CLP" or "DJF" or "GNF" or "ISK" or "JPY" or "KMF" or "KRW" or "PYG" or "RWF" or "UGX" or "UYI" or "VND" or "VUV" or "XAF" or "XOF" or "XPF" => 0,
        _ => 2,
    };

    public override string ToString() => Code;
}

/// <summary>An amount in a currency. Rates keep ten decimals; rows are never rounded; a statement rounds once, half to even.</summary>
public readonly record struct Money(decimal Amount, Currency Currency)
{
    /// <exception cref="InvalidOperationException">The currencies differ.</exception>
    public static Money operator +(Money left, Money right) =>
        left.Currency == right.Currency
            ? left with { Amount = left.Amount + right.Amount }
            : throw new InvalidOperationException($"{left.Currency} and {right.Currency} do not add up.");

    public static Money operator *(Money money, decimal factor) => money with { Amount = money.Amount * factor };

    public Money ToInvoicePrecision() => this with { Amount = Math.Round(Amount, Currency.MinorUnits, MidpointRounding.ToEven) };

    /// <summary>Words for people, in invoice precision: <c>1 234.50 EUR</c> with a no-break space between the groups.</summary>
    public override string ToString()
    {
        var format = new NumberFormatInfo { NumberGroupSeparator = "\u00a0", NumberDecimalSeparator = "." };
        return ToInvoicePrecision().Amount.ToString($"N{Currency.MinorUnits}", format) + "\u00a0" + Currency.Code;
    }
}
