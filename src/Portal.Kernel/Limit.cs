using System.Globalization;

namespace Portal.Kernel;

/// <summary>
/// How much of something may be used: <see cref="Unlimited"/> or <see cref="AtMost"/> n. There is no number that means "no limit":
/// 0 means none at all.
/// </summary>
public abstract record Limit
{
    private Limit()
    {
    }

    /// <summary>No bound.</summary>
    public static Limit None { get; } = new Unlimited();

    /// <summary>A bound of <paramref name="max"/>, inclusive.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The bound is negative.</exception>
    public static Limit Of(long max) => new AtMost(max);

    /// <summary>Whether a total of <paramref name="amount"/> is within the limit.</summary>
    public bool Allows(long amount) => this is not AtMost(var max) || amount <= max;

    /// <summary>What is left beside <paramref name="used"/>: never negative, null without a bound.</summary>
    public long? LeftBeside(long used) => this is AtMost(var max) ? Math.Max(0, max - used) : null;

    /// <summary>No bound.</summary>
    public sealed record Unlimited : Limit
    {
        public override string ToString() => "unlimited";
    }

    /// <summary>At most <see cref="Max"/>, inclusive.</summary>
    public sealed record AtMost : Limit
    {
        /// <exception cref="ArgumentOutOfRangeException">The bound is negative.</exception>
        public AtMost(long max)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(max);
            Max = max;
        }

        public long Max { get; }

        public void Deconstruct(out long max) => max = Max;

        public override string ToString() => Max.ToString(CultureInfo.InvariantCulture);
    }
}
