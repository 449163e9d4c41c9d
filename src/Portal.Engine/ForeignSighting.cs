namespace Portal.Engine;

/// <summary>A domain on a host that this portal did not make, with all that is said of it there.</summary>
/// <param name="Name">Null where a file describes one without a name.</param>
/// <param name="State">Off where only files tell of it.</param>
/// <param name="Readings">What the host says of it first, where it runs: what runs is what counts, whatever a file says. Empty where the host knows a name and no more.</param>
public sealed record ForeignSighting(string? Name, DomainState State, IReadOnlyList<ForeignReading> Readings)
{
    /// <summary>What stands against adopting it, or how it would be; null where the driver adopts nothing.</summary>
    public AdoptionOffer? Offer { get; init; }

    /// <summary>Sorts what runs and what files say into domains, each once, without those that the portal's own instance made.</summary>
    /// <param name="running">What runs, and what the host says of it; null where it says nothing.</param>
    internal static IReadOnlyList<ForeignSighting> Of(string instance, IReadOnlyList<(string Name, DomainState State, ForeignReading? Told)> running, IReadOnlyList<ForeignReading> files)
    {
        var named = files.Where(f => f.Domain.Name is not null).ToLookup(f => f.Domain.Name!);
        var known = running.Select(r => r.Name).ToHashSet();
        return
        [
            .. running.Where(r => !IsOwn(r.Name)).Select(r => new ForeignSighting(r.Name, r.State, r.Told is null ? [.. named[r.Name]] : [r.Told, .. named[r.Name]]))
                .Concat(named.Where(n => !known.Contains(n.Key) && !IsOwn(n.Key)).Select(n => new ForeignSighting(n.Key, DomainState.Off, [.. n])))
                .OrderBy(s => s.Name, StringComparer.Ordinal),
            // What says nothing of a domain at all is some other program's file.
            .. files.Where(f => f.Domain.Name is null && f.Domain.Understood.Count > 0).Select(f => new ForeignSighting(null, DomainState.Off, [f])),
        ];

        bool IsOwn(string name) => DomainName.TryParse(name, out var own) && own.Instance == instance;
    }
}

/// <summary>What one source says of a domain.</summary>
/// <param name="Source">For people: a file with its whole path, or the command that told it.</param>
/// <param name="Autostart">Whether the host starts it when it starts itself.</param>
public sealed record ForeignReading(string Source, bool Autostart, ForeignDomain Domain);
