using System.Text.Json;
using Portal.Engine.Pools;
using Portal.Kernel;

namespace Portal.Engine.Simulated;

/// <summary>Which root disks of the simulated host are clones of their template's, and what lies beside them. No file for one that stands alone.</summary>
internal sealed class SimulatedClones(PoolLayout pool)
{
    private readonly string _clones = Path.Combine(pool.Root, "simulated", "clones");

    public void Make(DomainName name, string template) => Write(name, new State(template, false, false));

    public DiskClone? Find(DomainName name) => Read(name) is { } state ? new DiskClone(state.Template, SizeOf(name), null, state.Taken) : null;

    /// <summary>How much the disks take that lie beside root disks, on their way to become them. What is left of a clone is sold to nobody, and so is none of it.</summary>
    public long Beside(string instance) =>
        Directory.Exists(_clones)
            ? Directory.EnumerateFiles(_clones, "*.json").Select(path => DomainName.TryParse(Path.GetFileNameWithoutExtension(path), out var name) && name.Instance == instance && Read(name) is { Copied: true, Taken: false } ? SizeOf(name).Bytes : 0).Sum()
            : 0;

    /// <param name="free">What is free in the pool.</param>
    public Result<StepOutcome> Do(DomainName name, DetachStage stage, bool isDown, ByteSize free)
    {
        if (Read(name) is not { } state)
        {
            return StepOutcome.AlreadyThere;
        }

        var size = SizeOf(name);
        switch (stage)
        {
            case DetachStage.Copy when !state.Copied:
                return free < size ? new PoolFull(size, free) : Write(name, state with { Copied = true });
            case DetachStage.Take or DetachStage.PutBack when state.Taken != (stage == DetachStage.Take):
                return !isDown ? new WrongState(name.Text, "off") : !state.Copied ? new HostSaidNo("exchange the disk", "there is no copy.") : Write(name, state with { Taken = !state.Taken });
            case DetachStage.Clear when state.Taken:
                Remove(name);
                return StepOutcome.Changed;
            case DetachStage.Clear when state.Copied:
                return Write(name, state with { Copied = false });
            default:
                return StepOutcome.AlreadyThere;
        }
    }

    public void Remove(DomainName name)
    {
        if (Directory.Exists(_clones))
        {
            File.Delete(PathOf(name));
        }
    }

    private State? Read(DomainName name) => File.Exists(PathOf(name)) ? JsonSerializer.Deserialize<State>(File.ReadAllBytes(PathOf(name))) : null;

    private StepOutcome Write(DomainName name, State state)
    {
        Directory.CreateDirectory(_clones);
        File.WriteAllBytes(WholeFile.PartialOf(PathOf(name)), JsonSerializer.SerializeToUtf8Bytes(state));
        File.Move(WholeFile.PartialOf(PathOf(name)), PathOf(name), overwrite: true);
        return StepOutcome.Changed;
    }

    private ByteSize SizeOf(DomainName name) => new(File.Exists(pool.Disk(name)) ? new FileInfo(pool.Disk(name)).Length : 0);

    private string PathOf(DomainName name) => Path.Combine(_clones, name.Text + ".json");

    /// <param name="Copied">Whether a second disk lies beside it.</param>
    /// <param name="Taken">Whether that one has its place.</param>
    private sealed record State(string Template, bool Copied, bool Taken);
}
