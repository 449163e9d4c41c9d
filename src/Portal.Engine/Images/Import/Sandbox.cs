using Portal.Engine.Pools;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Images.Import;

/// <summary>Where an image is taken apart: a directory in which programs are confined, see <see cref="SandboxCommands.Inside"/>. Nothing of an image is opened by a program outside of it.</summary>
/// <param name="box">The directory; its parent lets in nobody but the portal.</param>
/// <param name="busy">The lock that programs hold.</param>
internal sealed class Sandbox(IHostShell shell, string box, string busy)
{
    private static readonly bool s_root = Environment.IsPrivilegedProcess;

    // Killed for a file that got too large: SIGXFSZ, as shells and bwrap pass it on.
    private const int TooLarge = 128 + 25;

    /// <summary>Makes the directory, and looks whether a program can be confined in it.</summary>
    /// <returns>Null where it can.</returns>
    public async Task<Refusal?> OpenAsync(CancellationToken ct)
    {
        var missing = SandboxCommands.Needed.Where(need => Programs.Find(need.Program) is null).Select(need => need.Package).Distinct().ToList();
        if (missing.Count > 0)
        {
            return new NoSandbox($"these packages are missing: {string.Join(' ', missing)}. Install them, then build again.");
        }

        // Its user is another one, and who it is depends on the machine; the parent is closed.
        Directory.CreateDirectory(box, Workbench.Program | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite);
        File.SetUnixFileMode(box, Workbench.Program | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite);
        foreach (var files in new[] { false, true })
        {
            var tried = await shell.RunAsync(Inside(SandboxCommands.Nothing(), null, ByteSize.FromMiB(1), files), ct).ConfigureAwait(false);
            if (!tried.Succeeded)
            {
                return new NoSandbox(
                    $"bwrap says: {Workbench.Tail(tried.Error)} It needs namespaces: run the portal as root outside of a container, or allow user namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone).");
            }
        }

        return null;
    }

    /// <summary>Runs a program in the sandbox.</summary>
    /// <param name="source">A file that it may read; null for none.</param>
    /// <param name="most">No file gets larger; one that would is a refusal.</param>
    /// <param name="what">What a failure says of the image, in a sentence.</param>
    /// <param name="files">Whether it makes files that are to be root's.</param>
    /// <exception cref="IOException">It found the disk full, see <see cref="DiskFull.Is"/>.</exception>
    public async Task<Result<string>> RunAsync(HostCommand command, string? source, ByteSize most, string what, bool files, CancellationToken ct)
    {
        var answer = await shell.RunAsync(Inside(command, source, most, files), ct).ConfigureAwait(false);
        return answer.Succeeded ? Result<string>.Of(answer.Output)
            : answer.ExitCode == TooLarge || answer.Error.Contains("File too large", StringComparison.Ordinal) ? new ImageRefused($"The image unpacks to more than {most}, which is the most that it may. Make it smaller, or give VMs from it a larger disk.")
            : DiskFull.Said(answer) ? throw new IOException(answer.Error, DiskFull.Code)
            : new ImageRefused($"{what} {Workbench.Tail(answer.Error)}".TrimEnd());
    }

    /// <summary>A file that was made in the sandbox, for the portal to read. A link or a pipe in its place could lead the portal anywhere.</summary>
    /// <returns>Its path; a refusal where it is not there, or no plain file.</returns>
    public async Task<Result<string>> TakeAsync(string name, string what, CancellationToken ct)
    {
        var path = Path.Combine(box, name);
        var kind = await shell.RunAsync(SandboxCommands.KindOf(path), ct).ConfigureAwait(false);
        return kind.Succeeded && kind.Output.Trim() is "regular file" or "regular empty file" ? Result<string>.Of(path) : new ImageRefused(what);
    }

    /// <summary>Puts a file of the portal's own into the directory, in which nothing of that name may be.</summary>
    public async Task PutAsync(string name, ReadOnlyMemory<byte> content, CancellationToken ct)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0, UnixCreateMode = Workbench.Everyone };
        var file = new FileStream(Path.Combine(box, name), options);
        await using (file.ConfigureAwait(false))
        {
            await file.WriteAsync(content, ct).ConfigureAwait(false);
        }
    }

    /// <summary>Removes what was made in there.</summary>
    public async Task EmptyAsync(CancellationToken ct)
    {
        if (Directory.Exists(box))
        {
            await shell.RunAsync(Inside(SandboxCommands.Empty(), null, ByteSize.FromMiB(1), files: true), ct).ConfigureAwait(false);
        }
    }

    private HostCommand Inside(HostCommand command, string? source, ByteSize most, bool files) => SandboxCommands.Inside(command, s_root, files, busy, box, source, most);
}
