using System.Globalization;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Remote;

/// <summary>What `portal-host` itself says by a command's exit code.</summary>
internal static class RemoteAnswers
{
    /// <summary>A higher epoch was seen for that VM: nothing was done.</summary>
    public const int FencedCode = 113;

    /// <summary>A volume's file is not there.</summary>
    public static bool IsAbsent(HostAnswer answer) => answer.ExitCode == 2;

    /// <summary>Somebody has a volume's file open.</summary>
    public static bool IsInUse(HostAnswer answer) => answer.ExitCode == 3;

    /// <summary>The refusal where the command was fenced off; null where it ran.</summary>
    public static FencedOff? Fenced(HostAnswer answer)
    {
        var words = answer.Error.Split(' ', 3, StringSplitOptions.TrimEntries);
        return answer.ExitCode == FencedCode && words is ["fenced", var mine, var highest]
            && long.TryParse(mine, NumberStyles.None, CultureInfo.InvariantCulture, out var epoch) && long.TryParse(highest, NumberStyles.None, CultureInfo.InvariantCulture, out var seen)
            ? new FencedOff(epoch, seen)
            : null;
    }

    /// <summary>What sha256sum says of one file: 64 hexadecimal digits.</summary>
    /// <exception cref="HostFaultException">It says something else.</exception>
    public static string Digest(string output) =>
        output.Split(' ')[0] is { Length: 64 } digest && digest.All(char.IsAsciiHexDigitLower)
            ? digest
            : throw new HostFaultException($"sha256sum answered what cannot be understood: {output}");

    /// <summary>What `digests` says: a line for each part.</summary>
    /// <exception cref="HostFaultException">It says something else, or of another number of parts.</exception>
    public static IReadOnlyList<PartDigest> PartDigests(string output, int count)
    {
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return lines.Length == count ? [.. lines.Select(line => new PartDigest(line == "zero" ? null : Digest(line)))] : throw new HostFaultException($"The host told of {lines.Length} parts of a disk instead of {count}.");
    }

    /// <summary>What `catch-up` says: how many parts it compared, and how many bytes it had to write.</summary>
    /// <exception cref="HostFaultException">It says something else, or of another number of parts.</exception>
    public static ByteSize CaughtUp(string output, int count) =>
        output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is [var parts, var written]
        && int.TryParse(parts, NumberStyles.None, CultureInfo.InvariantCulture, out var seen) && seen == count && long.TryParse(written, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes)
            ? new ByteSize(bytes)
            : throw new HostFaultException($"The host was to compare {count} parts of a disk, and answered: {output}");

    /// <summary>What blockdev says of a device: its bytes.</summary>
    /// <exception cref="HostFaultException">It says something else.</exception>
    public static ByteSize Size(string output) =>
        long.TryParse(output.AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) ? new ByteSize(bytes) : throw new HostFaultException($"blockdev answered what cannot be understood: {output}");
}
