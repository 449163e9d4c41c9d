using System.Text.Json;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Images;

/// <summary>What `qemu-img info --output=json` says of an image.</summary>
internal sealed record ImageInfo(string Format, ByteSize VirtualSize, string? Backing, string? BackingFormat)
{
    /// <summary>The names of what is kept of it inside its file.</summary>
    public IReadOnlyList<string> Snapshots { get; init; } = [];

    /// <summary>Asks qemu-img, also while a guest has the image open.</summary>
    /// <exception cref="HostFaultException">It does not say.</exception>
    public static async Task<ImageInfo> ReadAsync(IHostShell shell, string path, string format, CancellationToken ct)
    {
        var command = ImageCommands.Info(path, format);
        var answer = await shell.RunAsync(command, ct).ConfigureAwait(false);
        return answer.Succeeded ? Parse(answer.Output) : throw new HostFaultException($"`{command}` failed: {answer.Error.Trim()}");
    }

    /// <exception cref="HostFaultException">The output is not what qemu-img writes.</exception>
    public static ImageInfo Parse(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            return new ImageInfo(
                root.GetProperty("format").GetString()!,
                new ByteSize(root.GetProperty("virtual-size").GetInt64()),
                Text("full-backing-filename") ?? Text("backing-filename"),
                Text("backing-filename-format"))
            {
                Snapshots = root.TryGetProperty("snapshots", out var snapshots) ? [.. snapshots.EnumerateArray().Select(s => s.GetProperty("name").GetString()!)] : [],
            };

            string? Text(string name) => root.TryGetProperty(name, out var value) ? value.GetString() : null;
        }
        catch (Exception broken) when (broken is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new HostFaultException($"qemu-img answered what cannot be understood: {json[..Math.Min(json.Length, 500)]}", broken);
        }
    }
}
