using Portal.Engine.Lvm;
using Portal.Engine.Pools;
using Portal.Engine.Remote;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Xen;

/// <summary>A place in a volume group: volumes are LVM's, and what is noted of them are its tags.</summary>
internal abstract class LvmStore(XenHost host, string group) : VolumeStore(host, group)
{
    public string Group => Place;

    protected override string Subject => $"Volume group {Group}";

    public override string PathOf(string volume) => $"/dev/{Group}/{volume}";

    public override async Task<IReadOnlyList<StoredVolume>> ListAsync(CancellationToken ct) => LvmAnswers.Volumes(await Host.AskAsync(LvmCommands.List(Group), ct).ConfigureAwait(false));

    public override async Task<ByteSize> SizeAsync(string volume, CancellationToken ct) => RemoteAnswers.Size(await Host.AskAsync(PortalHostCommands.SizeOf(PathOf(volume)), ct).ConfigureAwait(false));

    public override HostCommand Tag(string volume, string tag) => LvmCommands.AddTag(Group, volume, tag);

    public override HostCommand Untag(string volume, string tag) => LvmCommands.RemoveTag(Group, volume, tag);

    public override bool IsAbsent(HostAnswer answer) => LvmAnswers.IsAbsent(answer);

    public override bool IsInUse(HostAnswer answer) => LvmAnswers.IsInUse(answer);

    public override Refusal NoVolume(HostAnswer answer, ByteSize asked) =>
        LvmAnswers.IsFull(answer) ? new PoolFull(asked, ByteSize.Zero) : new HostSaidNo("make the volume", XlAnswers.Complaint(answer));

    protected override string? Forbidden(HostFacts facts) => facts.Groups.Contains(Group) ? null : $"the portal may use {XenProbe.Said(facts.Groups)} on this host, and not this one";

    protected override async Task<StoreLook> LookAsync(CancellationToken ct)
    {
        var listing = await Host.RunAsync(LvmCommands.List(Group), ct).ConfigureAwait(false);
        return await LookAsync(listing, listing.Succeeded ? LvmAnswers.Volumes(listing.Output) : [], ct).ConfigureAwait(false);
    }

    /// <param name="listing">What lvs answered.</param>
    protected abstract Task<StoreLook> LookAsync(HostAnswer listing, IReadOnlyList<LogicalVolume> volumes, CancellationToken ct);
}
