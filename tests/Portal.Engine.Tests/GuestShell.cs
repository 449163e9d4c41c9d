using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Portal.Engine.Tests;

/// <summary>Somebody at a Tiny Linux guest's console.</summary>
internal sealed partial class GuestShell : IAsyncDisposable
{
    private readonly IGuestConsole _console;
    private readonly IAsyncEnumerator<ReadOnlyMemory<byte>> _output;
    private readonly StringBuilder _heard = new();
    private readonly CancellationToken _ct;
    private int _asked;

    private GuestShell(IGuestConsole console, CancellationToken ct)
    {
        _console = console;
        _output = console.ReadAsync(ct).GetAsyncEnumerator(ct);
        _ct = ct;
    }

    /// <summary>Waits for the boot, and signs in.</summary>
    public static async Task<GuestShell> SignInAsync(IVmEngine engine, DomainSpec spec, CancellationToken ct)
    {
        var shell = new GuestShell(await engine.OpenConsoleAsync(spec.Name, ct), ct);
        await shell._output.UntilAsync($"{spec.HostName} login: ", shell._heard);
        await shell._console.WriteAsync("root\n"u8.ToArray(), ct);
        await shell._output.UntilAsync("~# ", shell._heard);
        return shell;
    }

    /// <summary>As <see cref="SignInAsync"/> where the log has an earlier boot before this one.</summary>
    public static async Task<GuestShell> SignInAgainAsync(IVmEngine engine, DomainSpec spec, CancellationToken ct)
    {
        var shell = new GuestShell(await engine.OpenConsoleAsync(spec.Name, ct), ct);
        foreach (var _ in Enumerable.Range(0, 2))
        {
            await shell._output.UntilAsync("Linux version", shell._heard);
        }

        await shell._output.UntilAsync($"{spec.HostName} login: ", shell._heard);
        await shell._console.WriteAsync("root\n"u8.ToArray(), ct);
        await shell._output.UntilAsync("~# ", shell._heard);
        return shell;
    }

    /// <summary>Where somebody has signed in already.</summary>
    public static async Task<GuestShell> GoOnAsync(IVmEngine engine, DomainSpec spec, CancellationToken ct) => new(await engine.OpenConsoleAsync(spec.Name, ct), ct);

    /// <summary>What a command printed; fails where it does not come to its end.</summary>
    public async Task<string> RunAsync(string command)
    {
        // The echo of what is typed has the sum, only the shell's answer has its result. Another viewer's numbers are others.
        var number = (Environment.TickCount & 0xffff) + ++_asked;
        await _console.WriteAsync(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{command}; echo end-$(({number}+100000))\n")), _ct);
        var all = await _output.UntilAsync(string.Create(CultureInfo.InvariantCulture, $"end-{number + 100000}"), _heard);
        var start = all.LastIndexOf(string.Create(CultureInfo.InvariantCulture, $"end-$(({number}+100000))"), StringComparison.Ordinal);
        return Escapes().Replace(all[Math.Max(0, start)..], "");
    }

    public async ValueTask DisposeAsync()
    {
        await _output.DisposeAsync();
        await _console.DisposeAsync();
    }

    [GeneratedRegex(@"\e\[[0-9;]*[A-Za-z]")]
    private static partial Regex Escapes();
}
