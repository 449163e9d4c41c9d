namespace Portal.Engine.Xen.Import;

/// <summary>Finds the name that was probably meant.</summary>
internal static class NearName
{
    private const int Longest = 64;
    private const int MostEdits = 2;

    /// <returns>Null where none is near: more than two letters, or half of the name, would have to change.</returns>
    public static string? Among(IEnumerable<string> names, string written) =>
        written.Length > Longest
            ? null
            : names.Where(name => name.Length <= Longest)
                .Select(name => (Name: name, Edits: Edits(name, written)))
                .Where(near => near.Edits <= MostEdits && near.Edits * 2 < written.Length)
                .OrderBy(near => near.Edits)
                .Select(near => near.Name)
                .FirstOrDefault();

    // Levenshtein's distance, row by row.
    private static int Edits(string one, string other)
    {
        int[] above = [.. Enumerable.Range(0, other.Length + 1)];
        for (var i = 1; i <= one.Length; i++)
        {
            var row = new int[other.Length + 1];
            row[0] = i;
            for (var j = 1; j <= other.Length; j++)
            {
                var changed = above[j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1);
                row[j] = Math.Min(changed, Math.Min(above[j], row[j - 1]) + 1);
            }

            above = row;
        }

        return above[^1];
    }
}
