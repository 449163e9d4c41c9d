using System.Globalization;
using System.Runtime.InteropServices;

namespace Portal.Web.Hosting;

/// <summary>What this process was given open by whoever started it.</summary>
internal static partial class Inherited
{
    private const int SetDescriptorFlags = 2; // F_SETFD
    private const int CloseOnExec = 1; // FD_CLOEXEC

    /// <summary>
    /// Keeps inherited descriptors from the programs that this process starts. `./portal up` hands over the lock on its data directory, which says
    /// that a portal lives: a host's command that outlives a killed portal must not go on saying so, or the next start would wait for it.
    /// </summary>
    public static void KeepFromChildren()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        foreach (var entry in Directory.GetFileSystemEntries("/proc/self/fd"))
        {
            // Those that are closed by now, the listing's own among them, answer with an error that means nothing.
            if (int.TryParse(Path.GetFileName(entry), NumberStyles.None, CultureInfo.InvariantCulture, out var descriptor) && descriptor > 2)
            {
                _ = Control(descriptor, SetDescriptorFlags, CloseOnExec);
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(int descriptor, int command, int argument);
}
