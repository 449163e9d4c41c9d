using System.Text.RegularExpressions;

namespace Portal.Engine.Images;

/// <summary>Reads what apt, the loader and depmod say.</summary>
internal static partial class PackageAnswers
{
    /// <summary>The package that the meta package of a kernel stands for today; null where the list does not have it.</summary>
    public static string? KernelPackage(string depends) => KernelDepends().Match(depends) is { Success: true } match ? match.Groups[1].Value : null;

    /// <summary>The real packages of `apt-cache depends --recurse`: they start a line; virtual ones are in angle brackets.</summary>
    public static IReadOnlyList<string> Packages(string depends) =>
        [.. depends.Split('\n').Where(line => line.Length > 0 && char.IsAsciiLetterOrDigit(line[0])).Select(line => line.Trim()).Distinct(StringComparer.Ordinal)];

    /// <summary>The file names of `apt-get download --print-uris`.</summary>
    public static IReadOnlyList<string> Files(string uris) =>
        [.. uris.Split('\n').Select(line => UriLine().Match(line)).Where(match => match.Success).Select(match => match.Groups[1].Value)];

    /// <summary>The libraries of `ld.so --list`, with where they are.</summary>
    public static IReadOnlyList<(string Name, string Path)> Libraries(string list) =>
        [.. list.Split('\n').Select(line => LibraryLine().Match(line)).Where(match => match.Success).Select(match => (match.Groups[1].Value, match.Groups[2].Value))];

    /// <summary>The files of modules in the order in which they load, each after what it needs.</summary>
    /// <param name="depends">The content of modules.dep: what a module needs comes after its colon.</param>
    /// <param name="builtIn">The content of modules.builtin: what this kernel has without loading it.</param>
    /// <exception cref="HostFaultException">The kernel does not have a module.</exception>
    public static IReadOnlyList<string> ModuleOrder(string depends, IEnumerable<string> modules, string builtIn = "")
    {
        var needs = depends.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(':', 2))
            .ToDictionary(parts => NameOf(parts[0]), parts => (File: parts[0], Needs: parts[1].Split(' ', StringSplitOptions.RemoveEmptyEntries)), StringComparer.Ordinal);
        var there = builtIn.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(NameOf).ToHashSet(StringComparer.Ordinal);
        List<string> order = [];
        foreach (var module in modules.Where(module => !there.Contains(module)))
        {
            Add(module);
        }

        return order;

        void Add(string module)
        {
            if (!needs.TryGetValue(module, out var found))
            {
                throw new HostFaultException($"The kernel package has no module {module}.");
            }

            foreach (var needed in found.Needs.Reverse())
            {
                Add(NameOf(needed));
            }

            if (!order.Contains(found.File))
            {
                order.Add(found.File);
            }
        }
    }

    /// <summary>A module's name: the kernel takes hyphens and underscores for the same.</summary>
    private static string NameOf(string file) => Path.GetFileName(file).Split('.', 2)[0].Replace('-', '_');

    [GeneratedRegex("Depends: (linux-image-[0-9][^\\s]*)")]
    private static partial Regex KernelDepends();

    [GeneratedRegex("^'[^']*' (\\S+\\.deb) ")]
    private static partial Regex UriLine();

    [GeneratedRegex("^\\s+(\\S+) => (/\\S+) \\(")]
    private static partial Regex LibraryLine();
}
