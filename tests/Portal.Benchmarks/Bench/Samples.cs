using System.Globalization;

namespace Portal.Benchmarks.Bench;

/// <summary>Times that were measured, in milliseconds.</summary>
internal sealed class Samples
{
    private readonly List<double> _sorted = [];

    public int Count => _sorted.Count;

    public double Median => Percentile(50);

    public void Add(TimeSpan time)
    {
        var at = _sorted.BinarySearch(time.TotalMilliseconds);
        _sorted.Insert(at < 0 ? ~at : at, time.TotalMilliseconds);
    }

    /// <summary>The smallest sample that at least so many in a hundred do not exceed (nearest rank): always a time that was really measured.</summary>
    public double Percentile(double percent) => _sorted[Math.Max(0, (int)Math.Ceiling(percent / 100 * _sorted.Count) - 1)];

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"n {Count}, median {Median:0.##}, p95 {Percentile(95):0.##}, p99 {Percentile(99):0.##}, most {_sorted[^1]:0.##} ms");
}
