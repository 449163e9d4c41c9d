using System.Text;
using Portal.Engine.Lvm;
using Portal.Engine.Remote;
using Portal.Engine.Xen.Import;
using Portal.Kernel;

namespace Portal.Engine.Xen;

/// <summary>Domains of a Xen host that the portal did not make: what runs, as xl tells it, and what lies in files, as xl or xm would read them.</summary>
internal sealed class XenForeign(XenHost host)
{
    private static readonly UTF8Encoding s_strict = new(false, throwOnInvalidBytes: true);

    public async Task<IReadOnlyList<ForeignSighting>> FindAsync(CancellationToken ct)
    {
        var known = await KnownAsync(ct).ConfigureAwait(false);
        var running = XlAnswers.Domains(await host.AskAsync(XlCommands.List(), ct).ConfigureAwait(false)).Where(d => d is { DomId: > 0, Name: not null }).ToList();
        // Its name is the list's: a domain may have got another one since it was made.
        var told = XlListReader.Read(await host.AskAsync(XlCommands.ListLong(), ct).ConfigureAwait(false), known).Where(d => d.DomId is not null).ToLookup(d => d.DomId!.Value);
        var answer = await host.AskAsync(PortalHostCommands.Configs(), ct).ConfigureAwait(false);
        var sightings = ForeignSighting.Of(
            host.Instance, [.. running.Select(d => (d.Name!, d.State, told[d.DomId].FirstOrDefault() is { } said ? new ForeignReading("xl list -l", false, said) : null))], Files(answer, known));
        return sightings.Count == 0 ? sightings : XenOffers.With(sightings, host.Storage, [.. (await host.Store.ListAsync(ct).ConfigureAwait(false)).OfType<LogicalVolume>()], Permits(answer));
    }

    /// <summary>What the host's administrator lets the portal adopt, as he wrote it, blanks aside.</summary>
    public async Task<IReadOnlySet<string>> PermitsAsync(CancellationToken ct) => Permits(await host.AskAsync(PortalHostCommands.Configs(), ct).ConfigureAwait(false));

    public async Task<Result<ForeignDomain>> ReadAsync(string config, CancellationToken ct) => XlConfigReader.Read(config, await KnownAsync(ct).ConfigureAwait(false));

    private async Task<KnownOnHost> KnownAsync(CancellationToken ct)
    {
        var facts = HostFacts.Parse(await host.AskAsync(PortalHostCommands.Facts(), ct).ConfigureAwait(false));
        return new KnownOnHost([.. (await host.GroupsAsync(facts, ct).ConfigureAwait(false)).Select(g => g.Name)], facts.Bridges);
    }

    private static HashSet<string> Permits(string output) => [.. output.Split('\n').Where(line => line.StartsWith("adopt ", StringComparison.Ordinal))];

    /// <summary>Each file in a line: whether it starts with the host, its content in hexadecimal digits, its path.</summary>
    /// <exception cref="HostFaultException">That is no such line.</exception>
    internal static IReadOnlyList<ForeignReading> Files(string output, KnownOnHost known)
    {
        List<ForeignReading> files = [];
        foreach (var line in output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.StartsWith("adopt ", StringComparison.Ordinal)))
        {
            if (line.Split(' ', 4) is not ["config", var auto and ("0" or "1"), var content, var path] || content.Length % 2 != 0 || !content.All(char.IsAsciiHexDigitLower))
            {
                throw new HostFaultException($"portal-host tells of a configuration in words that cannot be understood: {line[..Math.Min(line.Length, 200)]}");
            }

            // portal-host leaves out what is larger than a configuration may be, so none is refused for that.
            files.Add(new ForeignReading(path, auto == "1", XlConfigReader.Read(Text(Convert.FromHexString(content)), known).Value));
        }

        return files;
    }

    // Files of other times are in the letters of other times, at least in their comments.
    private static string Text(byte[] content)
    {
        try
        {
            return s_strict.GetString(content);
        }
        catch (DecoderFallbackException)
        {
            return Encoding.Latin1.GetString(content);
        }
    }
}
