using System.Text.RegularExpressions;

namespace Portal.Engine.Images.Import;

/// <summary>A kernel in an image's /boot, and the initial RAM disk that belongs to it.</summary>
internal sealed partial record BootFiles(string Kernel, string Initrd)
{
    /// <summary>The newest kernel that has its initial RAM disk beside it; null where none has. Links are passed over: what they point to is there, too, or elsewhere.</summary>
    /// <param name="listing">What <see cref="SandboxCommands.ListBoot"/> printed.</param>
    public static BootFiles? Of(string listing)
    {
        var files = listing.Split('\n').Select(line => Line().Match(line)).Where(match => match.Success).Select(match => match.Groups["name"].Value).ToHashSet(StringComparer.Ordinal);
        return files.Where(name => name == "vmlinuz" || name.StartsWith("vmlinuz-", StringComparison.Ordinal))
            .OrderByDescending(name => Digits().Replace(name, digits => digits.Value.PadLeft(20, '0')), StringComparer.Ordinal)
            .Select(kernel => Initrds(kernel["vmlinuz".Length..]).FirstOrDefault(files.Contains) is { } initrd ? new BootFiles(kernel, initrd) : null)
            .FirstOrDefault(found => found is not null);
    }

    // As Debian, Alpine, Fedora and SUSE call them.
    private static IEnumerable<string> Initrds(string version) =>
        [$"initrd.img{version}", $"initrd{version}", $"initramfs{version}", $"initramfs{version}.img", $"initrd{version}.img"];

    // 6.10 is newer than 6.9.
    [GeneratedRegex(@"[0-9]+", RegexOptions.CultureInvariant)]
    private static partial Regex Digits();

    // Plain files alone, and names without anything that debugfs could take for more than a name.
    [GeneratedRegex(@"^/\d+/100[0-7]{3}/\d+/\d+/(?<name>[A-Za-z0-9][A-Za-z0-9._+~-]{0,199})/\d+/\z", RegexOptions.CultureInvariant)]
    private static partial Regex Line();
}
