using System.Globalization;
using Portal.Benchmarks.Client;

namespace Portal.Benchmarks.Demo;

/// <summary>Recomputes money from what it is made of.</summary>
internal static class Sums
{
    private const int Decimals = 10;
    private const decimal SecondsPerHour = 3600m;

    /// <summary>Ten decimals, as rates have.</summary>
    public static string Exact(decimal amount) => amount.ToString("0.0000000000", CultureInfo.InvariantCulture);

    /// <summary>Seconds from the stretches, amount from seconds and the rate that was agreed on with the order.</summary>
    /// <returns>The sum, written out.</returns>
    /// <exception cref="Shortfall">The portal's line says something else.</exception>
    public static string Check(UsageLine line, decimal agreedRate, string currency)
    {
        var seconds = line.Stretches.Sum(s => (s.To - s.From).Ticks) / (decimal)TimeSpan.TicksPerSecond;
        var amount = seconds * agreedRate / SecondsPerHour;
        if (line.RatePerHour != agreedRate)
        {
            throw new Shortfall($"{line.Meter} is counted at {Exact(line.RatePerHour)} an hour; the order said {Exact(agreedRate)}.");
        }

        if (line.Seconds != seconds)
        {
            throw new Shortfall(string.Create(CultureInfo.InvariantCulture, $"{line.Meter} counts {line.Seconds} s; its stretches last {seconds} s."));
        }

        return Math.Round(line.Amount, Decimals) == Math.Round(amount, Decimals)
            ? string.Create(CultureInfo.InvariantCulture, $"{seconds:0.000000} s x {Exact(agreedRate)} {currency}/h / 3600 = {Exact(amount)} {currency}, as the portal says")
            : throw new Shortfall($"{line.Meter} costs {Exact(line.Amount)} by the portal; seconds and rate make {Exact(amount)}.");
    }
}
