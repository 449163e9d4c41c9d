using Portal.Engine.Shell;

namespace Portal.Engine.Fences;

/// <summary>The right to act on a VM, until disposed.</summary>
internal sealed class FenceHold(FileStream file, string busyPath) : IDisposable
{
    /// <summary>The command as it runs under the hold: itself holding a lock, so that one which outlives its portal is waited for.</summary>
    public HostCommand Guard(HostCommand command) =>
        command with { Program = "flock", Arguments = ["--exclusive", busyPath, command.Program, .. command.Arguments], Shown = command.ToString(), Changes = true };

    /// <summary>Removes what <see cref="Guard"/> left. Nobody waits for it: who would has to hold the fence first.</summary>
    public void Tidy() => File.Delete(busyPath);

    public void Dispose() => file.Dispose();
}
