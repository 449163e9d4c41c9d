using System.Diagnostics.CodeAnalysis;
using Portal.Engine.Remote;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Xen;

/// <summary>Commands of one step, each under the step's fence: the host refuses them where a later worker was there.</summary>
internal sealed class XenActing(SshShell shell, Fence fence, DomainName name)
{
    /// <summary>For a step that has nothing to do: whoever is late is told so all the same.</summary>
    public async Task<StepOutcome> LookOnlyAsync(CancellationToken ct)
    {
        await RunAsync(PortalHostCommands.Get($"domains/{name.Text}").AskedUnder(fence), ct).ConfigureAwait(false);
        return StepOutcome.AlreadyThere;
    }

    /// <exception cref="FencedException">A later worker was there.</exception>
    public Task<HostAnswer> DoAsync(HostCommand command, CancellationToken ct) => RunAsync(command.Under(fence), ct);

    /// <summary>What it printed: for questions that the host answers only who may act.</summary>
    /// <exception cref="HostFaultException">It failed.</exception>
    public async Task<string> AskAsync(HostCommand command, CancellationToken ct)
    {
        var answer = await RunAsync(command.AskedUnder(fence), ct).ConfigureAwait(false);
        return answer.Succeeded ? answer.Output : throw new HostFaultException($"`{command}` failed: {XlAnswers.Complaint(answer)}");
    }

    /// <summary>The same where what it printed is no text.</summary>
    /// <param name="most">More than that is a fault.</param>
    /// <exception cref="HostFaultException">It failed.</exception>
    public async Task<ReadOnlyMemory<byte>> ReadAsync(HostCommand command, int most, CancellationToken ct)
    {
        var (answer, output) = await shell.ReadAsync(command.AskedUnder(fence), most, ct).ConfigureAwait(false);
        return RemoteAnswers.Fenced(answer) is { } fenced ? throw new FencedException(fenced)
            : answer.Succeeded ? output
            : throw new HostFaultException($"`{command}` failed: {XlAnswers.Complaint(answer)}");
    }

    /// <summary>A command that changes something and is one of thousands of its kind: they take one line of the journal.</summary>
    /// <returns>What it printed.</returns>
    /// <exception cref="HostFaultException">It failed.</exception>
    public async Task<string> OneOfManyAsync(HostCommand command, TimeProvider clock, CancellationToken ct)
    {
        var started = clock.GetTimestamp();
        var printed = await AskAsync(command, ct).ConfigureAwait(false);
        HostJournal.NoteMore(command.ForPeople, clock.GetElapsedTime(started));
        return printed;
    }

    /// <exception cref="HostFaultException">It failed.</exception>
    public async Task MustAsync(HostCommand command, CancellationToken ct)
    {
        var answer = await DoAsync(command, ct).ConfigureAwait(false);
        if (!answer.Succeeded)
        {
            throw new HostFaultException($"`{command}` failed: {XlAnswers.Complaint(answer)}");
        }
    }

    /// <summary>One command is all of the step; its failure is the host's no.</summary>
    public async Task<Result<StepOutcome>> RunAsync(HostCommand command, string doing, CancellationToken ct)
    {
        var answer = await DoAsync(command, ct).ConfigureAwait(false);
        return answer.Succeeded ? StepOutcome.Changed : new HostSaidNo(doing, XlAnswers.Complaint(answer));
    }

    private async Task<HostAnswer> RunAsync(HostCommand command, CancellationToken ct)
    {
        var answer = await shell.RunAsync(command, ct).ConfigureAwait(false);
        return RemoteAnswers.Fenced(answer) is { } fenced ? throw new FencedException(fenced) : answer;
    }

    [SuppressMessage("Design", "CA1064:Exceptions should be public", Justification = "It never leaves XenHost.ActAsync.")]
    internal sealed class FencedException(FencedOff refusal) : Exception
    {
        public FencedOff Refusal => refusal;
    }
}
