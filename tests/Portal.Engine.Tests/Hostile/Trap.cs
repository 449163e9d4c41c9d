namespace Portal.Engine.Tests.Hostile;

/// <summary>An empty directory, and the hostile strings as they would make a file in it.</summary>
public sealed class Trap : IDisposable
{
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("portal-trap-");

    public Trap() =>
        Strings = [.. HostileStrings.All.Select(text => text.Replace(HostileStrings.Canary, Path.Combine(_home.FullName, "canary"), StringComparison.Ordinal))];

    public IReadOnlyList<string> Strings { get; }

    public string Home => _home.FullName;

    /// <summary>Whether something ran one of them.</summary>
    public bool IsSprung => _home.EnumerateFileSystemInfos().Any();

    public void Dispose() => _home.Delete(recursive: true);
}
