using System.Collections.Concurrent;
using Portal.Engine;
using Portal.Engine.Simulated;
using Portal.Kernel;

namespace Portal.Testing.Worlds;

/// <summary>The product's engines with a <see cref="Fate"/> around each verb, and verbs that the host refuses for good.</summary>
internal sealed class WatchedEngines(IVmEngines engines, Fate fate, ConcurrentDictionary<SimulatedVerb, Refusal> refusals, ConsoleCount consoles) : IVmEngines
{
    public IVmEngine For(HostConnection host) => new Watched(engines.For(host), fate, refusals, consoles);

    private sealed class Watched(IVmEngine engine, Fate fate, ConcurrentDictionary<SimulatedVerb, Refusal> refusals, ConsoleCount consoles) : IVmEngine
    {
        public Task<HostReport> ProbeAsync(CancellationToken ct) => engine.ProbeAsync(ct);

        public Task<Result<StepOutcome>> ExtendPoolAsync(CancellationToken ct) => engine.ExtendPoolAsync(ct);

        public IReadOnlySet<DomainAbility> Abilities => engine.Abilities;

        public Task<Result<StepOutcome>> ChangeAsync(Fence fence, DomainName name, DomainChange change, CancellationToken ct) =>
            ActAsync(SimulatedVerb.Change, () => engine.ChangeAsync(fence, name, change, ct));

        public Task<IReadOnlyList<HostCheck>> SurveyAsync(CancellationToken ct) => engine.SurveyAsync(ct);

        public IReadOnlyList<string> Papers => engine.Papers;

        public Task<string> ReadPaperAsync(string paper, CancellationToken ct) => engine.ReadPaperAsync(paper, ct);

        public Task<IReadOnlyList<DomainReport>> ListDomainsAsync(CancellationToken ct) => MeetAsync(() => engine.ListDomainsAsync(ct), Act.Listing);

        public Task<string> ReadLogAsync(DomainName name, DomainLog log, CancellationToken ct) => engine.ReadLogAsync(name, log, ct);

        public Task<DomainReport> LookAsync(DomainName name, CancellationToken ct) => MeetAsync(() => engine.LookAsync(name, ct));

        public Task<IReadOnlyList<VolumeReport>> ListVolumesAsync(CancellationToken ct) => engine.ListVolumesAsync(ct);

        public string DiskNames => engine.DiskNames;

        public bool SeesForeign => engine.SeesForeign;

        public Task<IReadOnlyList<ForeignSighting>> FindForeignAsync(CancellationToken ct) => engine.FindForeignAsync(ct);

        public Task<DomainState> LookForeignAsync(string name, CancellationToken ct) => MeetAsync(() => engine.LookForeignAsync(name, ct));

        public Task<Result<StepOutcome>> AskForeignShutdownAsync(Fence fence, DomainSpec spec, CancellationToken ct) =>
            ActAsync(SimulatedVerb.AskForeignShutdown, () => engine.AskForeignShutdownAsync(fence, spec, ct));

        public Task<Result<StepOutcome>> EnsureTakenOverAsync(Fence fence, DomainSpec spec, CancellationToken ct) =>
            ActAsync(SimulatedVerb.EnsureTakenOver, () => engine.EnsureTakenOverAsync(fence, spec, ct));

        public Task<Result<StepOutcome>> EnsureGivenBackAsync(Fence fence, DomainSpec spec, CancellationToken ct) =>
            ActAsync(SimulatedVerb.EnsureGivenBack, () => engine.EnsureGivenBackAsync(fence, spec, ct));

        public Task<Result<StepOutcome>> EnsureForeignRunningAsync(Fence fence, DomainSpec spec, CancellationToken ct) =>
            ActAsync(SimulatedVerb.EnsureForeignRunning, () => engine.EnsureForeignRunningAsync(fence, spec, ct));

        public Task<Result<ForeignDomain>> ReadForeignAsync(string config, CancellationToken ct) => engine.ReadForeignAsync(config, ct);

        public Task<Result<StepOutcome>> EnsureTemplateAsync(TemplateImage image, CancellationToken ct) => engine.EnsureTemplateAsync(image, ct);

        public Task<Result<StepOutcome>> EnsureRootDiskAsync(Fence fence, DomainSpec spec, CancellationToken ct) =>
            ActAsync(SimulatedVerb.EnsureRootDisk, () => engine.EnsureRootDiskAsync(fence, spec, ct));

        public Task<Result<StepOutcome>> EnsureSeedAsync(Fence fence, DomainSpec spec, CancellationToken ct) =>
            ActAsync(SimulatedVerb.EnsureSeed, () => engine.EnsureSeedAsync(fence, spec, ct));

        public Task<Result<StepOutcome>> EnsureDefinedAsync(Fence fence, DomainSpec spec, CancellationToken ct) =>
            ActAsync(SimulatedVerb.EnsureDefined, () => engine.EnsureDefinedAsync(fence, spec, ct));

        public Task<Result<StepOutcome>> EnsureRunningAsync(Fence fence, DomainName name, CancellationToken ct) =>
            ActAsync(SimulatedVerb.EnsureRunning, () => engine.EnsureRunningAsync(fence, name, ct));

        public Task<Result<StepOutcome>> AskShutdownAsync(Fence fence, DomainName name, CancellationToken ct) =>
            ActAsync(SimulatedVerb.AskShutdown, () => engine.AskShutdownAsync(fence, name, ct));

        public Task<Result<StepOutcome>> EnsureOffAsync(Fence fence, DomainName name, CancellationToken ct) =>
            ActAsync(SimulatedVerb.EnsureOff, () => engine.EnsureOffAsync(fence, name, ct));

        public Task<Result<StepOutcome>> EnsureUndefinedAsync(Fence fence, DomainName name, CancellationToken ct) =>
            ActAsync(SimulatedVerb.EnsureUndefined, () => engine.EnsureUndefinedAsync(fence, name, ct));

        public Task<Result<StepOutcome>> EnsureDisksGoneAsync(Fence fence, DomainName name, CancellationToken ct) =>
            ActAsync(SimulatedVerb.EnsureDisksGone, () => engine.EnsureDisksGoneAsync(fence, name, ct));

        public Task<DiskListing> ListDisksAsync(DomainName name, CancellationToken ct) => MeetAsync(() => engine.ListDisksAsync(name, ct));

        public Task<Result<StepOutcome>> EnsureEmptyDisksAsync(Fence fence, DomainName name, IReadOnlyList<DomainDisk> disks, CancellationToken ct) =>
            ActAsync(SimulatedVerb.EnsureEmptyDisks, () => engine.EnsureEmptyDisksAsync(fence, name, disks, ct));

        public Task<Result<IReadOnlyList<PartDigest>>> DigestPartsAsync(Fence fence, DomainName name, DomainDisk disk, int first, int count, CancellationToken ct) =>
            ActAsync(SimulatedVerb.DigestParts, () => engine.DigestPartsAsync(fence, name, disk, first, count, ct));

        public Task<Result<ReadOnlyMemory<byte>>> ReadPartAsync(Fence fence, DomainName name, DomainDisk disk, int part, CancellationToken ct) =>
            ActAsync(SimulatedVerb.ReadPart, () => engine.ReadPartAsync(fence, name, disk, part, ct));

        public Task<Result<StepOutcome>> WritePartAsync(Fence fence, DomainName name, DomainDisk disk, int part, ReadOnlyMemory<byte> content, bool overZeros, CancellationToken ct) =>
            ActAsync(SimulatedVerb.WritePart, () => engine.WritePartAsync(fence, name, disk, part, content, overZeros, ct));

        public Task<Result<StepOutcome>> EnsureDisksWholeAsync(Fence fence, DomainName name, IReadOnlyList<DomainDisk> disks, CancellationToken ct) =>
            ActAsync(SimulatedVerb.EnsureDisksWhole, () => engine.EnsureDisksWholeAsync(fence, name, disks, ct));

        // What is refused is the exchange: all that comes before it is then taken back.
        public Task<Result<StepOutcome>> DetachAsync(Fence fence, DomainName name, DetachStage stage, CopyProgress progress, CancellationToken ct) =>
            MeetAsync(() => stage == DetachStage.Take && refusals.TryGetValue(SimulatedVerb.Detach, out var refusal) ? Task.FromResult(Result<StepOutcome>.Of(refusal)) : engine.DetachAsync(fence, name, stage, progress, ct));

        public async Task<IGuestConsole> OpenConsoleAsync(DomainName name, CancellationToken ct) => consoles.Count(await engine.OpenConsoleAsync(name, ct));

        public IReadOnlyList<string> Plan(DomainSpec spec) => engine.Plan(spec);

        private Task<Result<T>> ActAsync<T>(SimulatedVerb verb, Func<Task<Result<T>>> act) =>
            MeetAsync(() => refusals.TryGetValue(verb, out var refusal) ? Task.FromResult(Result<T>.Of(refusal)) : act());

        private async Task<T> MeetAsync<T>(Func<Task<T>> act, Act kind = Act.Verb)
        {
            await fate.MeetAsync(kind, Moment.Before);
            var answer = await act();
            await fate.MeetAsync(kind, Moment.After);
            return answer;
        }
    }
}
