using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Portal.Engine.Shell;

/// <summary>Runs programs on the portal's own machine.</summary>
internal sealed class LocalShell(TimeProvider clock, ILogger<LocalShell> log) : IHostShell
{
    private const int MaxOutput = 4 << 20;
    private const int MaxError = 64 << 10;

    public async Task<HostAnswer> RunAsync(HostCommand command, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var started = clock.GetTimestamp();
        using var process = Start(command);
        using var deadline = new CancellationTokenSource(command.Timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, ct);
        try
        {
            var output = ReadAsync(process.StandardOutput.BaseStream, MaxOutput, command.Heard, either.Token);
            var error = ReadAsync(process.StandardError.BaseStream, MaxError, command.Heard, either.Token);
            var input = FeedAsync(process, command.Content ?? (command.Input is { } text ? Encoding.UTF8.GetBytes(text) : null), either.Token);
            await Task.WhenAll(output, error, input, process.WaitForExitAsync(either.Token)).ConfigureAwait(false);
            var answer = new HostAnswer(process.ExitCode, await output.ConfigureAwait(false), await error.ConfigureAwait(false));
            var took = clock.GetElapsedTime(started);
            HostJournal.Note(command, answer.ExitCode, took);
            var elapsedMs = (long)took.TotalMilliseconds;
            log.CommandRan(command, answer.ExitCode, elapsedMs);
            return answer;
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            Kill(process);
            HostJournal.Note(command, null, clock.GetElapsedTime(started));
            ct.ThrowIfCancellationRequested();
            throw new HostFaultException($"`{command}` was not done after {command.Timeout.TotalSeconds:0} s and was killed.");
        }
    }

    private static Process Start(HostCommand command)
    {
        var program = Programs.Find(command.Program)
            ?? throw new HostFaultException($"{command.Program} is not installed. Install the package that has it, then retry.");
        var info = new ProcessStartInfo(program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = command.Directory ?? "",
        };
        foreach (var argument in command.Arguments)
        {
            info.ArgumentList.Add(argument);
        }

        // Messages are parsed: they have to be in one language.
        info.Environment["LC_ALL"] = "C";
        info.Environment["PATH"] = Programs.SearchPath;
        info.Environment.Remove("LANGUAGE");
        foreach (var (name, value) in command.Environment ?? new Dictionary<string, string>())
        {
            info.Environment[name] = value;
        }

        try
        {
            return Process.Start(info) ?? throw new HostFaultException($"{command.Program} did not start.");
        }
        catch (Win32Exception refused)
        {
            throw new HostFaultException($"{program} cannot be started: {refused.Message}", refused);
        }
    }

    private static async Task FeedAsync(Process process, ReadOnlyMemory<byte>? input, CancellationToken ct)
    {
        try
        {
            if (input is { } bytes)
            {
                await process.StandardInput.BaseStream.WriteAsync(bytes, ct).ConfigureAwait(false);
            }

            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The program ended without reading all of it; its exit code tells.
        }
    }

    private static async Task<string> ReadAsync(Stream stream, int max, Action<string>? heard, CancellationToken ct)
    {
        using var kept = new MemoryStream();
        var buffer = new byte[16 << 10];
        int length;
        while ((length = await stream.ReadAsync(buffer, ct).ConfigureAwait(false)) > 0)
        {
            // Read on beyond the limit, or the program would wait for ever with its pipe full.
            heard?.Invoke(Encoding.UTF8.GetString(buffer, 0, length));
            kept.Write(buffer, 0, (int)Math.Min(length, max - kept.Length));
        }

        return Encoding.UTF8.GetString(kept.GetBuffer(), 0, (int)kept.Length);
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It ended by itself meanwhile.
        }
    }
}
