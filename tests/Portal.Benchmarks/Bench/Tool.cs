using System.Diagnostics;

namespace Portal.Benchmarks.Bench;

/// <summary>Runs a program as a person at a shell would.</summary>
internal static class Tool
{
    /// <exception cref="Shortfall">It is missing, or ended with another code than 0.</exception>
    public static async Task<string> RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken ct)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["LC_ALL"] = "C";
        using var process = Start(start);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(ct);
            var error = process.StandardError.ReadToEndAsync(ct);
            await process.WaitForExitAsync(ct);
            return process.ExitCode == 0
                ? await output
                : throw new Shortfall($"`{program} {string.Join(' ', arguments)}` failed: {(await error).Trim()}");
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            throw new Shortfall($"{start.FileName} cannot be run: {missing.Message}. The floor is measured with the host's own programs, so run the bench on the host, as root.", missing);
        }
    }
}
