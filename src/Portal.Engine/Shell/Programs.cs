namespace Portal.Engine.Shell;

/// <summary>Finds programs, also those of /usr/sbin and /sbin, which a person's PATH often lacks.</summary>
internal static class Programs
{
    /// <summary>The PATH that programs run with.</summary>
    public static string SearchPath { get; } = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin";

    /// <summary>Where a program is; null where it is not installed.</summary>
    public static string? Find(string program) =>
        program.Contains('/', StringComparison.Ordinal)
            ? program
            : SearchPath.Split(':').Where(directory => directory.Length > 0).Select(directory => Path.Combine(directory, program)).FirstOrDefault(File.Exists);
}
