using System.Text;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Templates;

/// <summary>A new template's guest did not do what a guest must.</summary>
public sealed record TemplateFailsTest(string What)
    : Refusal("templates.fails_test", $"The test of the new version failed: {What} It is not offered.");

/// <summary>A guest of a new version boots, answers on its console and shuts down. Nothing of it stays, however it ends; where a host refuses that, the log says so.</summary>
internal sealed class TemplateTrial(TimeProvider clock)
{
    // Emulated guests on a busy machine take minutes.
    private static readonly TimeSpan s_mayTake = TimeSpan.FromMinutes(20);

    // What getty says, of whichever distribution.
    private const string Prompt = "login: ";

    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(1);

    /// <summary>Whether its guest took its name from the seed; what is brought need not.</summary>
    public bool ReadsSeed { get; private set; }

    /// <param name="brought">Whether somebody else made its image: then the portal does not know who may sign in, and a console that asks for it twice answers.</param>
    /// <returns>Null where it passed.</returns>
    /// <exception cref="HostFaultException">The host could not be asked.</exception>
    public async Task<Refusal?> RunAsync(IVmEngine engine, Fence fence, DomainSpec spec, bool brought, Action<string> say, CancellationToken ct)
    {
        if ((await engine.EnsureTemplateAsync(spec.Template, ct)).Refusal is { } notThere)
        {
            return notThere;
        }

        // What a process left that died in the middle.
        if (await ClearAsync(engine, fence, spec, ct) is { } stays)
        {
            return stays;
        }

        try
        {
            say("Making a guest\n");
            return (await engine.EnsureRootDiskAsync(fence, spec, ct)).Refusal
                ?? (await engine.EnsureSeedAsync(fence, spec, ct)).Refusal
                ?? (await engine.EnsureDefinedAsync(fence, spec, ct)).Refusal
                ?? (await engine.EnsureRunningAsync(fence, spec.Name, ct)).Refusal
                ?? await TalkAsync(engine, fence, spec, brought, say, ct);
        }
        finally
        {
            if (await ClearAsync(engine, fence, spec, CancellationToken.None) is { } left)
            {
                say($"\nIts guest {spec.Name} stays on the host: {left.Message}\n");
            }
        }
    }

    private async Task<Refusal?> TalkAsync(IVmEngine engine, Fence fence, DomainSpec spec, bool brought, Action<string> say, CancellationToken ct)
    {
        using var deadline = new CancellationTokenSource(s_mayTake, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, ct);
        var doing = "it did not come to its login prompt.";
        try
        {
            await using (var console = await engine.OpenConsoleAsync(spec.Name, either.Token))
            {
                await using var output = console.ReadAsync(either.Token).GetAsyncEnumerator(either.Token);
                var prompt = brought ? Prompt : $"{spec.HostName.Text} {Prompt}";
                if (await HearAsync(output, prompt, say) is not { } heard)
                {
                    return new TemplateFailsTest("it went down before its login prompt came.");
                }

                ReadsSeed = heard.EndsWith($"{spec.HostName.Text} {Prompt}", StringComparison.Ordinal);
                if (brought && !ReadsSeed)
                {
                    say("\nIts name is not the one that its seed says: it has no cloud-init, or one that reads no NoCloud. Keys and addresses of VMs will not reach it either.\n");
                }

                doing = brought ? "its console did not answer when Enter was typed." : "root could not sign in on its console.";
                await console.WriteAsync(brought ? "\n"u8.ToArray() : "root\n"u8.ToArray(), either.Token);
                if (await HearAsync(output, brought ? Prompt : $"root@{spec.HostName.Text}:", say) is null)
                {
                    return new TemplateFailsTest(doing);
                }
            }

            doing = "it did not shut down when it was asked to.";
            say("\nAsking it to shut down\n");
            if ((await engine.AskShutdownAsync(fence, spec.Name, either.Token)).Refusal is { } refusal)
            {
                return refusal;
            }

            while ((await engine.LookAsync(spec.Name, either.Token)).State is not (DomainState.Off or DomainState.Absent))
            {
                await Task.Delay(s_look, clock, either.Token);
            }

            return null;
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            return new TemplateFailsTest(doing);
        }
    }

    /// <returns>What was heard last, up to what was wanted; null where the console ended before.</returns>
    private static async Task<string?> HearAsync(IAsyncEnumerator<ReadOnlyMemory<byte>> output, string wanted, Action<string> say)
    {
        var heard = new StringBuilder();
        while (await output.MoveNextAsync())
        {
            var piece = Encoding.UTF8.GetString(output.Current.Span);
            say(piece);
            heard.Append(piece);
            if (heard.ToString() is var all && all.IndexOf(wanted, StringComparison.Ordinal) is >= 0 and var at)
            {
                return all[..(at + wanted.Length)];
            }

            // What is wanted fits into the rest many times over.
            heard.Remove(0, Math.Max(0, heard.Length - 4096));
        }

        return null;
    }

    private static async Task<Refusal?> ClearAsync(IVmEngine engine, Fence fence, DomainSpec spec, CancellationToken ct) =>
        (await engine.EnsureOffAsync(fence, spec.Name, ct)).Refusal
        ?? (await engine.EnsureUndefinedAsync(fence, spec.Name, ct)).Refusal
        ?? (await engine.EnsureDisksGoneAsync(fence, spec.Name, ct)).Refusal;
}
