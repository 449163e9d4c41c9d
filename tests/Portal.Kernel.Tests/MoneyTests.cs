using CsCheck;

namespace Portal.Kernel.Tests;

public sealed class MoneyTests
{
    private static readonly Gen<decimal> s_amount = Gen.Decimal[-1_000_000m, 1_000_000m].Select(d => Math.Round(d, 10));

    [Fact]
    public void Rounding_moves_by_at_most_half_a_coin_and_only_once() => Gen.Select(s_amount, Gen.OneOf("EUR", "JPY", "KWD")).Sample((amount, code) =>
    {
        var currency = new Currency(code);
        var rounded = new Money(amount, currency).ToInvoicePrecision();
        var coin = (decimal)Math.Pow(10, -currency.MinorUnits);
        Assert.True(Math.Abs(rounded.Amount - amount) <= coin / 2);
        Assert.Equal(0, rounded.Amount % coin);
        Assert.Equal(rounded, rounded.ToInvoicePrecision());
    });

    [Theory]
    [InlineData("0.005", "0.00")]
    [InlineData("0.015", "0.02")]
    [InlineData("0.025", "0.02")]
    [InlineData("0.0250000001", "0.03")]
    [InlineData("-0.015", "-0.02")]
    public void Half_a_cent_goes_to_the_even_cent(string amount, string rounded) =>
        Assert.Equal(Parse(rounded), new Money(Parse(amount), Currency.Eur).ToInvoicePrecision().Amount);

    [Fact]
    public void Adds_only_its_own_kind()
    {
        Assert.Equal(new Money(3.3m, Currency.Eur), new Money(1.1m, Currency.Eur) + new Money(2.2m, Currency.Eur));
        Assert.Throws<InvalidOperationException>(() => new Money(1, Currency.Eur) + new Money(1, new Currency("USD")));
    }

    [Fact]
    public void Ten_decimals_survive_a_sum() => s_amount.Array[1, 50].Sample(amounts =>
        Assert.Equal(amounts.Sum(), amounts.Select(a => new Money(a, Currency.Eur)).Aggregate((a, b) => a + b).Amount));

    [Theory]
    [InlineData("1234.5", "EUR", "1\u00a0234.50\u00a0EUR")]
    [InlineData("1234.5", "JPY", "1\u00a0234\u00a0JPY")]
    [InlineData("0.0035", "KWD", "0.004\u00a0KWD")]
    public void Is_shown_with_its_currency(string amount, string code, string shown) => Assert.Equal(shown, new Money(Parse(amount), new Currency(code)).ToString());

    [Theory]
    [InlineData("eur")]
    [InlineData("EU")]
    [InlineData("EURO")]
    [InlineData("E1R")]
    [InlineData("")]
    public void A_currency_is_three_capital_letters(string code) => Assert.Throws<ArgumentException>(() => new Currency(code));

    private static decimal Parse(string text) => decimal.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
