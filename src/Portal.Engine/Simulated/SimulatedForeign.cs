using Portal.Engine.Xen.Import;
using Portal.Kernel;

namespace Portal.Engine.Simulated;

/// <summary>Domains on a simulated host that no portal made: a file each, in the words of xl or xm, and a second one beside it while it runs.</summary>
internal static class SimulatedForeign
{
    private const string Running = ".running";

    private static readonly KnownOnHost s_known = new(["simulated"], ["simbr0"]);

    public static IReadOnlyList<ForeignSighting> Find(string instance, string pool)
    {
        var directory = Of(pool);
        List<(ForeignReading Reading, bool Runs)> there = !Directory.Exists(directory)
            ? []
            : [.. Directory.EnumerateFiles(directory).Where(path => !path.EndsWith(Running, StringComparison.Ordinal)).Order(StringComparer.Ordinal)
                .Select(path => (new ForeignReading(path, false, XlConfigReader.Read(File.ReadAllText(path), s_known).Value), File.Exists(path + Running)))];
        return ForeignSighting.Of(
            instance,
            [.. there.Where(t => t.Runs && t.Reading.Domain.Name is not null).Select(t => (t.Reading.Domain.Name!, DomainState.Running, (ForeignReading?)(t.Reading with { Source = "simulated" })))],
            [.. there.Select(t => t.Reading)]);
    }

    public static Result<ForeignDomain> Read(string config) => XlConfigReader.Read(config, s_known);

    public static void Put(string pool, string file, string config, bool running)
    {
        var path = Path.Combine(Directory.CreateDirectory(Of(pool)).FullName, file);
        File.WriteAllText(path, config);
        if (running)
        {
            File.WriteAllText(path + Running, "");
        }
        else
        {
            File.Delete(path + Running);
        }
    }

    private static string Of(string pool) => Path.Combine(pool, "simulated", "foreign");
}
