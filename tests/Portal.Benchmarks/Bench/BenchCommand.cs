using System.CommandLine;

namespace Portal.Benchmarks.Bench;

internal static class BenchCommand
{
    public static Command Create() => new("bench", "x");
}
