using System.Globalization;
using System.Runtime.InteropServices;
using Npgsql;
using Portal.Benchmarks.Client;

namespace Portal.Benchmarks.Bench;

/// <summary>Where figures were measured: without it they say nothing.</summary>
internal sealed record Machine(string Processor, int Processors, long MemoryMiB, string Kernel, string Runtime, string PostgreSql, string Engine, double LoadBefore)
{
    public static async Task<Machine> LookAsync(NpgsqlDataSource database, Host host, CancellationToken ct)
    {
        await using var command = database.CreateCommand("SHOW server_version");
        return await LookAsync(host.Hypervisor, ct) with { PostgreSql = (string)(await command.ExecuteScalarAsync(ct))! };
    }

    /// <param name="engine">What the guests run on.</param>
    public static async Task<Machine> LookAsync(string engine, CancellationToken ct) =>
        new(
            Fact("/proc/cpuinfo", "model name"),
            Environment.ProcessorCount,
            long.Parse(Fact("/proc/meminfo", "MemTotal").Split(' ')[0], CultureInfo.InvariantCulture) / 1024,
            (await File.ReadAllTextAsync("/proc/sys/kernel/osrelease", ct)).Trim(),
            RuntimeInformation.FrameworkDescription,
            "",
            engine,
            double.Parse((await File.ReadAllTextAsync("/proc/loadavg", ct)).Split(' ')[0], CultureInfo.InvariantCulture));

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Processors} x {Processor}, {MemoryMiB} MiB, Linux {Kernel}, {Runtime}, {(PostgreSql.Length == 0 ? "" : $"PostgreSQL {PostgreSql}, ")}{Engine}; load before {LoadBefore:0.00}");

    private static string Fact(string file, string name) =>
        File.ReadLines(file).FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "unknown";
}
