using System.Text.Json;
using Portal.Kernel;

namespace Portal.Engine.Images;

/// <summary>What `qemu-img info --output=json` says of an image.</summary>
internal sealed record ImageInfo(string Format, ByteSize VirtualSize, string? Backing, string? BackingFormat)
{
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
                Text("backing-filename-format"));

            string? Text(string name) => root.TryGetProperty(name, out var value) ? value.GetString() : null;
        }
        catch (Exception broken) when (broken is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new HostFaultException($"qemu-img answered what cannot be understood: {json[..Math.Min(json.Length, 500)]}", broken);
        }
    }
}
