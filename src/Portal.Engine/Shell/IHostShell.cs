namespace Portal.Engine.Shell;

/// <summary>Runs programs on a host.</summary>
internal interface IHostShell
{
    /// <summary>Runs to the end, whatever the exit code is.</summary>
    /// <exception cref="HostFaultException">The program could not be started, or was not done in time and was killed: what it did is unknown.</exception>
    Task<HostAnswer> RunAsync(HostCommand command, CancellationToken ct);
}

/// <summary>What a program left: at most the first 4 MiB of its output and 64 KiB of its complaints.</summary>
internal sealed record HostAnswer(int ExitCode, string Output, string Error)
{
    public bool Succeeded => ExitCode == 0;
}
