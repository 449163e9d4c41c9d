using System.Globalization;

namespace Portal.Benchmarks.Bench;

/// <summary>One measured value, the least that it could be on this machine at this moment, and what was asked for.</summary>
/// <param name="Floor">Measured in the same run.</param>
/// <param name="Goal">At most this.</param>
/// <param name="Note">What was measured how, for people.</param>
internal sealed record Figure(string Name, double Value, string Unit, double Floor, double Goal, string Note)
{
    public double Ratio => Value / Floor;

    public bool IsMet => Value <= Goal;

    /// <summary>For programs that read lines: <c>NAME VALUE UNIT floor=F ratio=R goal=G ok|short</c>.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Name} {Value:0.###} {Unit} floor={Floor:0.###} ratio={Ratio:0.##} goal={Goal:0.###} {(IsMet ? "ok" : "short")}");
}
