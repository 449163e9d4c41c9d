using Portal.Engine.Xen.Import;

namespace Portal.Engine.Tests.Xen.Import;

/// <summary>Reads configurations as a host with the article's names would.</summary>
internal static class Foreign
{
    public static KnownOnHost Known { get; } = new(["vgdisk", "vgswap", "vg"], ["xen-br0"]);

    public static ForeignDomain Read(params string[] lines) => XlConfigReader.Read(string.Join('\n', lines), Known).Value;

    /// <summary>What was not understood, as line and key.</summary>
    public static IEnumerable<(int?, string?)> Missed(this ForeignDomain domain) => domain.NotUnderstood.Select(missed => (missed.Line, missed.Key));

    /// <summary>The reason why the one thing was not understood.</summary>
    public static string Why(this ForeignDomain domain) => Assert.Single(domain.NotUnderstood).Why;
}
