using Portal.Kernel;

namespace Portal.Engine.Tests.Hostile;

/// <summary>The one free text that reaches hosts and guests is the comment of a key.</summary>
internal static class HostileKeys
{
    public const string Start = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJDnsWzC/6xJcFkGgFDrKVqRjMr6cZuGRC7EjIY6hIWo";

    /// <summary>The keys whose comment is one of the strings, where it can be one.</summary>
    public static IReadOnlyList<SshPublicKey> With(IEnumerable<string> comments) =>
        [.. from comment in comments where SshPublicKey.TryParse($"{Start} {comment}", out _) select An.KeyOf($"{Start} {comment}")];
}
