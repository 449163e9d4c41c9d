using Portal.Engine.Lvm;
using Portal.Engine.Xen;
using Portal.Engine.Xen.Import;
using Portal.Kernel;

namespace Portal.Engine.Simulated;

/// <summary>Domains on a simulated host that no portal made: a file each, in the words of xl or xm, and others beside it while it runs or was taken over.</summary>
internal sealed class SimulatedForeign(string pool)
{
    private const string Running = ".running";
    private const string Taken = ".taken";

    private static readonly XenStorage s_storage = new("simulated", "thin", "simbr0");
    private static readonly KnownOnHost s_known = new([s_storage.Place], [s_storage.Bridge]);

    private readonly string _directory = Path.Combine(pool, "simulated", "foreign");
    private readonly string _permits = Path.Combine(pool, "simulated", "permits");

    public IReadOnlyList<ForeignSighting> Find(string instance)
    {
        List<ForeignReading> files = [.. Files().Select(path => new ForeignReading(path, false, XlConfigReader.Read(File.ReadAllText(path), s_known).Value))];
        var sightings = ForeignSighting.Of(
            instance,
            [.. files.Where(f => f.Domain.Name is not null && File.Exists(f.Source + Running)).Select(f => (f.Domain.Name!, DomainState.Running, (ForeignReading?)(f with { Source = "simulated", Domain = f.Domain with { DomId = 1 } })))],
            files);
        // Every volume that a file names is there, and each has a gibibyte, until it is taken over.
        var volumes = files.Where(f => !File.Exists(f.Source + Taken)).SelectMany(f => f.Domain.Disks).Select(d => d.Volume).OfType<ForeignVolume>().Where(v => v.Group == s_storage.Place).Select(v => v.Name).Distinct();
        return XenOffers.With(sightings, s_storage, [.. volumes.Select(v => new LogicalVolume(s_storage.Place, v, ByteSize.FromGiB(1), "Vwi-a-tz--", [], s_storage.Pool, null, null, null, null))], Permits());
    }

    public static Result<ForeignDomain> Read(string config) => XlConfigReader.Read(config, s_known);

    public DomainState Look(string name) =>
        Files().Any(path => File.Exists(path + Running) && XlConfigReader.Read(File.ReadAllText(path), s_known).Value.Name == name) ? DomainState.Running : DomainState.Off;

    public Result<StepOutcome> Run(AdoptedDomain domain, bool runs)
    {
        if (File.Exists(domain.File + Running) == runs)
        {
            return StepOutcome.AlreadyThere;
        }

        if (!IsPermitted(domain))
        {
            return new AdoptionNotPermitted(domain.Name);
        }

        if (runs)
        {
            File.WriteAllText(domain.File + Running, "");
        }
        else
        {
            File.Delete(domain.File + Running);
        }

        return StepOutcome.Changed;
    }

    /// <summary>Null where its disks are the new owner's now.</summary>
    public Refusal? Take(AdoptedDomain domain, string owner)
    {
        if (File.Exists(domain.File + Running))
        {
            return new WrongState(domain.Name, "off");
        }

        if (!IsPermitted(domain))
        {
            return new AdoptionNotPermitted(domain.Name);
        }

        if (File.Exists(domain.File + Taken))
        {
            return File.ReadAllText(domain.File + Taken) == owner ? null : new Occupied(domain.Disks[0].Volume);
        }

        File.WriteAllText(domain.File + Taken, owner);
        return null;
    }

    /// <summary>False where they were not taken.</summary>
    public static bool GiveBack(AdoptedDomain domain)
    {
        var taken = File.Exists(domain.File + Taken);
        File.Delete(domain.File + Taken);
        return taken;
    }

    public void Put(string file, string config, bool running)
    {
        var path = Path.Combine(Directory.CreateDirectory(_directory).FullName, file);
        File.WriteAllText(path, config);
        if (running)
        {
            File.WriteAllText(path + Running, "");
        }
        else
        {
            File.Delete(path + Running);
        }
    }

    public void Permit(string line) => File.AppendAllText(_permits, line + "\n");

    public bool Runs(string file) => File.Exists(Path.Combine(_directory, file + Running));

    private bool IsPermitted(AdoptedDomain domain) => Permits().Contains(domain.Permit(s_storage.Place));

    private HashSet<string> Permits() => File.Exists(_permits) ? [.. File.ReadAllLines(_permits)] : [];

    private IEnumerable<string> Files() =>
        !Directory.Exists(_directory)
            ? []
            : Directory.EnumerateFiles(_directory).Where(path => !path.EndsWith(Running, StringComparison.Ordinal) && !path.EndsWith(Taken, StringComparison.Ordinal)).Order(StringComparer.Ordinal);
}
