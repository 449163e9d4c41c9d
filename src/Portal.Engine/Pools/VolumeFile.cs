using System.Globalization;
using Portal.Kernel;

namespace Portal.Engine.Pools;

/// <summary>A file that holds a disk, block for block, with holes where nothing was written.</summary>
internal sealed record VolumeFile(string Directory, string Name, ByteSize Size, ByteSize Blocks, bool Opened, IReadOnlyList<string> Tags) : StoredVolume(Directory, Name, Size, Tags)
{
    public override ByteSize Taken => Blocks;

    public override bool IsOpen => Opened;
}

/// <summary>What `volumes` says of a directory.</summary>
/// <param name="Size">Of its file system.</param>
/// <param name="Free">What is free in that, for root.</param>
internal sealed record DirectoryListing(ByteSize Size, ByteSize Free, IReadOnlyList<VolumeFile> Files)
{
    /// <exception cref="HostFaultException">It says something else.</exception>
    public static DirectoryListing Parse(string directory, string output)
    {
        List<VolumeFile> files = [];
        (ByteSize Size, ByteSize Free)? room = null;
        foreach (var line in output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            switch (line.Split(' '))
            {
                case ["room", var size, var free]:
                    room = (Bytes(size), Bytes(free));
                    break;
                case ["volume", var name, var size, var taken, var open and ("0" or "1"), var tags]:
                    files.Add(new VolumeFile(directory, name, Bytes(size), Bytes(taken), open == "1", tags.Split(',', StringSplitOptions.RemoveEmptyEntries)));
                    break;
                default:
                    throw Strange(line);
            }
        }

        return room is { } there ? new DirectoryListing(there.Size, there.Free, files) : throw Strange(output);
    }

    private static ByteSize Bytes(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) ? new ByteSize(bytes) : throw Strange(text);

    private static HostFaultException Strange(string said) => new($"portal-host tells of a directory in words that cannot be understood: {said[..Math.Min(said.Length, 200)]}");
}
