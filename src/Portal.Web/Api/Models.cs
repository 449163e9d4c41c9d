using System.Text.Json.Serialization;
using Portal.App.Access;
using Portal.App.Billing;
using Portal.App.Catalogue;
using Portal.App.Control;
using Portal.App.Operations;
using Portal.App.Ordering;
using Portal.App.Pricing;
using Portal.App.Quotas;
using Portal.App.Templates;
using Portal.App.Tenants;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.Web.Api;

// What crosses the wire. Sizes carry their unit in the name, money is decimal with its currency beside it, instants are UTC.

internal sealed record SignInBody(string Email, string Password);

internal sealed record MeJson(Guid Id, string Name, string Email, IReadOnlyList<string> Roles, IReadOnlyList<MembershipJson> Memberships)
{
    public static MeJson Of(Actor actor) => new(
        actor.User!.Value.Value, actor.Name, actor.Email, [.. actor.Roles.Order().Select(r => r.ToString())],
        [.. actor.Memberships.Select(m => new MembershipJson(m.Key.Value, m.Value.ToString()))]);
}

internal sealed record MembershipJson(Guid Tenant, string Role);

/// <param name="WaitingVms">How many VMs may wait in orders at once.</param>
/// <param name="RunningOnly">Whether a VM that is off counts for no vCPU and no memory.</param>
internal sealed record LimitsJson(long? Vms = null, long? Vcpus = null, long? MemoryMiB = null, long? DiskGiB = null, long? Addresses = null, long? WaitingVms = null, bool RunningOnly = false)
{
    public static LimitsJson Of(TenantLimits limits) =>
        new(Max(limits.Vms), Max(limits.Vcpus), Max(limits.MemoryMiB), Max(limits.DiskGiB), Max(limits.Addresses), Max(limits.WaitingVms), limits.RunningOnly);

    // Only here, at the edge, an absent number means "unlimited": JSON has no closed type.
    public TenantLimits ToLimits() => new(Read(Vms), Read(Vcpus), Read(MemoryMiB), Read(DiskGiB)) { Addresses = Read(Addresses), WaitingVms = Read(WaitingVms), RunningOnly = RunningOnly };

    [JsonIgnore]
    public bool IsValid => new[] { Vms, Vcpus, MemoryMiB, DiskGiB, Addresses, WaitingVms }.All(n => n is null or >= 0);

    private static long? Max(Limit limit) => limit is Limit.AtMost(var max) ? max : null;

    private static Limit Read(long? max) => max is { } n ? Limit.Of(n) : Limit.None;
}

internal sealed record TenantJson(Guid Id, string Slug, string Name, string Currency, LimitsJson Limits, DateTimeOffset CreatedAt)
{
    public static TenantJson Of(TenantRow t) => new(t.Id.Value, t.Slug, t.Name, t.Currency.Code, LimitsJson.Of(t.Limits), t.CreatedAt);
}

internal sealed record NewTenantBody(string Slug, string Name, string Currency, LimitsJson Limits);

internal sealed record ChangeTenantBody(string Name, LimitsJson Limits);

/// <param name="Boot">How its VMs start: "Kernel" beside the disk, or from their own "Disk", on KVM hosts alone.</param>
/// <param name="FirstBoot">What acts on user data: a "Script" of the portal's, which runs what begins with #!; the image's "CloudInit"; "Nothing"; or "Unknown", where its files are on a server.</param>
/// <param name="OnNfs">Whether VMs of it have their root on an NFS server, and so no disk of their plan's.</param>
/// <param name="Nfs">Where that is, for the provider's people.</param>
/// <param name="PausedBecause">Why it cannot be ordered for now; null where it can.</param>
/// <param name="Deprecated">Not offered any more, and never to be again.</param>
/// <param name="OnlyFor">The tenants that it is there for, for the provider's people; null where it is there for all.</param>
internal sealed record TemplateJson(Guid Id, string Slug, string Name, string Description, string SignIn, string Version, long MinMemoryMiB, long MinDiskGiB, string Boot, string FirstBoot, bool OnNfs, NfsJson? Nfs,
    string? PausedBecause, bool Deprecated, IReadOnlyList<Guid>? OnlyFor)
{
    public static TemplateJson Of(TemplateRow t) => new(t.Id.Value, t.Slug, t.Name, t.Description, t.SignIn, t.Version, t.MinMemory.CeilingMiB, t.MinDisk.CeilingGiB, t.Boot.ToString(), t.FirstBoot.ToString(), t.OnNfs, t.Nfs is { } nfs ? new NfsJson(nfs.Server, nfs.Path, nfs.Writable) : null, t.Paused, t.Deprecated, t.OnlyFor?.Select(o => o.Value).ToList());
}

/// <param name="Setup">Once for each VM, when it first runs.</param>
internal sealed record PriceJson(string Currency, decimal RunningPerHour, decimal AllocatedPerHour, decimal PerHour, decimal PerMonth, decimal Setup)
{
    public static PriceJson Of(Price p) => new(p.Currency.Code, p.RunningPerHour, p.AllocatedPerHour, p.PerHour.Amount, p.PerMonth.Amount, p.Setup);
}

/// <summary>An amount as a statement rounds it, with the tax on it.</summary>
/// <param name="Percent">Null where no rate was set, or where several hold for parts of it.</param>
/// <param name="Tax">Null where no rate was set.</param>
internal sealed record TaxedJson(decimal Net, decimal? Percent, decimal? Tax, decimal Gross)
{
    public static TaxedJson Of(Taxed t) => new(t.Net.Amount, t.Percent, t.Tax?.Amount, t.Gross.Amount);

    public static TaxedJson Of(Money net, decimal? percent) => Of(Taxed.Of(net, percent));
}

internal sealed record SizeJson(int Vcpus, long MemoryMiB, long DiskGiB)
{
    public static SizeJson Of(VmSize s) => new(s.Vcpus, s.Memory.CeilingMiB, s.Disk.CeilingGiB);

    /// <summary>Out of any plan's range becomes nothing or more than any plan has: either is refused.</summary>
    public VmSize ToSize() => new(Vcpus, ByteSize.FromMiB(Math.Clamp(MemoryMiB, 0, 1L << 40)), ByteSize.FromGiB(Math.Clamp(DiskGiB, 0, 1L << 30)));
}

/// <param name="Largest">What can be chosen at most, where the size is chosen with the order; null where it is fixed.</param>
/// <param name="RunningPerVcpu">An hour, for each vCPU more than the smallest size has; so are the next two for each GiB more.</param>
/// <param name="PausedBecause">Why it cannot be ordered for now; null where it can.</param>
/// <param name="Stock">How many VMs of it there may be at once; null for no bound.</param>
/// <param name="Left">How many more of it can be ordered; null where there is no bound.</param>
internal sealed record PlanJson(
    Guid Id, string Name, int Vcpus, long MemoryMiB, long DiskGiB, PriceJson? Price, SizeJson? Largest, decimal? RunningPerVcpu, decimal? RunningPerMemoryGiB, decimal? AllocatedPerDiskGiB,
    string? PausedBecause, int? Stock, long? Left)
{
    public static PlanJson Of(PlanRow p) => new(
        p.Id.Value, p.Name, p.Size.Vcpus, p.Size.Memory.CeilingMiB, p.Size.Disk.CeilingGiB, p.Price is null ? null : PriceJson.Of(p.Price), p.IsCustom ? SizeJson.Of(p.Largest) : null,
        p.Tariff?.RunningPerVcpu, p.Tariff?.RunningPerMemoryGiB, p.Tariff?.AllocatedPerDiskGiB, p.Paused, p.Stock, p.Left);
}

/// <param name="Lines">1 to 20, of at most 100 VMs together.</param>
internal sealed record OrderBody(IReadOnlyList<OrderLineBody?> Lines, string? Note = null);

/// <param name="Template">A template's id or its slug.</param>
/// <param name="Plan">A plan's id or its name.</param>
/// <param name="Name">A VM's name, or a pattern: `web-{n}` makes web-1, web-2 and so on, and passes over what is taken.</param>
/// <param name="UserData">Text of at most 16 KiB in UTF-8 for each VM's first boot; what acts on it, the template's `firstBoot` says.</param>
/// <param name="Size">In a plan whose size is chosen; absent for its smallest.</param>
/// <param name="LeaseEndsAt">When its VMs are shut down; seven days later they are deleted. Absent where they may stay.</param>
internal sealed record OrderLineBody(string Template, string Plan, string Name, int Count = 1, IReadOnlyList<string>? SshKeys = null, string? UserData = null, SizeJson? Size = null, DateTimeOffset? LeaseEndsAt = null);

internal sealed record QuotaJson(int UsedVms, int UsedVcpus, long UsedMemoryMiB, long UsedDiskGiB, int HeldVms, int HeldVcpus, long HeldMemoryMiB, long HeldDiskGiB, LimitsJson Limits)
{
    public static QuotaJson Of(QuotaState q) => new(
        q.Used.Vms, q.Used.Vcpus, q.Used.Memory.CeilingMiB, q.Used.Disk.CeilingGiB, q.InOrders.Vms, q.InOrders.Vcpus, q.InOrders.Memory.CeilingMiB, q.InOrders.Disk.CeilingGiB, LimitsJson.Of(q.Limits));
}

internal sealed record RefusalJson(string Code, string Message, string? Field)
{
    public static RefusalJson Of(Refusal r) => new(r.Code, r.Message, r.Path);
}

internal sealed record PreviewLineJson(string What, IReadOnlyList<string> Names, PriceJson Price, IReadOnlyList<string> Commands);

internal sealed record PreviewJson(IReadOnlyList<PreviewLineJson> Lines, PriceJson? PriceOfAll, QuotaJson? Quota, bool ApprovedByPolicy, IReadOnlyList<QuestionJson> Questions, int HostsThatFit, IReadOnlyList<RefusalJson> Problems, TaxedJson? PerMonth, TaxedJson? Setup, string? Warning)
{
    public static PreviewJson Of(PreviewOrder.Preview p) => new(
        [.. p.Lines.Select(l => new PreviewLineJson(l.What, l.Names, PriceJson.Of(l.Price), l.Commands))],
        p.PriceOfAll is null ? null : PriceJson.Of(p.PriceOfAll), p.Quota is null ? null : QuotaJson.Of(p.Quota), p.ApprovedByPolicy, [.. p.Questions.Select(q => new QuestionJson(q.Side.ToString(), q.Name, q.Who, q.Why))], p.HostsThatFit, [.. p.Problems.Select(RefusalJson.Of)],
        p.PriceOfAll is null ? null : TaxedJson.Of(p.PriceOfAll.PerMonth, p.TaxPercent), p.PriceOfAll is null ? null : TaxedJson.Of(p.PriceOfAll.Once, p.TaxPercent), p.Warning);
}

internal sealed record PlacedJson(Guid Id, int Number, bool Repeated);

internal sealed record OrderJson(Guid Id, int Number, Guid Tenant, string RequestedBy, DateTimeOffset CreatedAt, string State, string What, IReadOnlyList<string> Names, PriceJson Price, string? WaitsFor)
{
    public static OrderJson Of(OrderRow o) => new(o.Id.Value, o.Number, o.Tenant.Value, o.RequestedBy, o.CreatedAt, o.State.ToString(), o.What, o.Names, PriceJson.Of(o.Price), o.WaitsFor);
}

internal sealed record OrderVmJson(Guid Id, string Name, string Stage, string? Problem);

/// <param name="Changes">The VM that it changes; null where it makes VMs.</param>
internal sealed record OrderLineJson(string What, string Template, string Plan, IReadOnlyList<string> Names, int Vcpus, long MemoryMiB, long DiskGiB, PriceJson Price, string? UserDataSha256, DateTimeOffset? LeaseEndsAt, Guid? Changes);

internal sealed record OrderDetailsJson(
    OrderJson Order, IReadOnlyList<OrderLineJson> Lines, string Note, DateTimeOffset ExpiresAt, string? Problem, IReadOnlyList<OrderVmJson> Vms, IReadOnlyList<ApprovalStepJson> Steps, IReadOnlyList<CommentJson> Comments, DateTimeOffset? QuestionAt, bool CanCancel, bool CanDecide, TaxedJson PerMonth, TaxedJson Setup)
{
    public static OrderDetailsJson Of(GetOrder.Details d) => new(
        OrderJson.Of(d.Row),
        [.. d.Lines.Select(l => new OrderLineJson(l.What, l.Slug, l.Plan, l.Names, l.Vcpus, l.Memory.CeilingMiB, l.Disk.CeilingGiB, PriceJson.Of(l.Price), l.UserDataSha256, l.LeaseEndsAt, l.Changes?.Value))],
        d.Note, d.ExpiresAt, d.Problem, [.. d.Vms.Select(v => new OrderVmJson(v.Id.Value, v.Name, v.Stage.ToString(), v.Problem))],
        [.. d.Steps.Select(ApprovalStepJson.Of)], [.. d.Comments.Select(c => new CommentJson(c.By, c.Kind.ToString(), c.Text, c.At))], d.QuestionAt, d.CanCancel, d.CanDecide,
        TaxedJson.Of(d.Row.Price.PerMonth, d.Row.TaxPercent), TaxedJson.Of(d.Row.Price.Once, d.Row.TaxPercent));
}

/// <param name="Reason">Needed for a no, and in somebody's place.</param>
/// <param name="InPlaceOf">The id of an open step that an administrator decides on alone, in the place of those whom it names; null to vote on every open step that names you.</param>
/// <param name="Stage">The stage that you looked at: where the order has gone on since, nothing is decided.</param>
internal sealed record DecisionBody(Verdict Verdict, string? Reason = null, Guid? InPlaceOf = null, int? Stage = null);

internal sealed record StepJson(int Ordinal, string Kind, string Words, string State, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt, int Tries, IReadOnlyList<JournalLine> Commands);

internal sealed record OperationJson(
    Guid Id, Guid Tenant, Guid Vm, string VmName, string Kind, string Words, string State, string RequestedBy, DateTimeOffset CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt,
    string? Problem, string? ProblemCode, bool CancelRequested, bool CanCancel, IReadOnlyList<StepJson> Steps, MoveJson? Move, CopyJson? Copy)
{
    public static OperationJson Of(OperationRow o) => new(
        o.Id.Value, o.Tenant.Value, o.Vm.Value, o.VmName, o.Kind.ToString(), o.Words, o.State.ToString(), o.RequestedBy, o.CreatedAt, o.StartedAt, o.FinishedAt, o.Problem, o.ProblemCode, o.CancelRequested, o.CanCancel,
        [.. o.Steps.Select(s => new StepJson(s.Ordinal, s.Kind.ToString(), s.Words, s.State.ToString(), s.StartedAt, s.FinishedAt, s.Tries, s.Commands))],
        o.Move is { } m ? new MoveJson(m.From, m.To, m.Copied.Bytes, m.Total.Bytes, m.LeftOn) : null,
        o.Copy is { } c ? new CopyJson(c.Copied.Bytes, c.Total.Bytes) : null);
}

/// <summary>How much of a disk that is copied on its host was compared and copied by the present step, or by the last one that had to.</summary>
internal sealed record CopyJson(long CopiedBytes, long TotalBytes);

/// <param name="From">For staff only; null for others. So are <c>to</c> and <c>leftOn</c>, a host that still has something to be removed.</param>
internal sealed record MoveJson(string? From, string? To, long CopiedBytes, long TotalBytes, string? LeftOn);

/// <param name="MayForceOff">Whether its power is taken away where its guest does not shut down.</param>
internal sealed record MoveBody([property: System.Text.Json.Serialization.JsonRequired] Guid Host, bool MayForceOff = false);

/// <param name="WhyNot">Null where it can be moved there.</param>
internal sealed record MoveTargetJson(Guid Host, string Name, int VcpusLeft, long MemoryLeftMiB, long DiskLeftGiB, string? WhyNot);

/// <param name="Obstacle">Why it can be moved nowhere at this moment; null where it can.</param>
/// <param name="AtMostSeconds">Roughly how long the copy takes where its disks are full.</param>
internal sealed record MoveTargetsJson(string From, string? Obstacle, bool Runs, int AtMostSeconds, IReadOnlyList<MoveTargetJson> Targets)
{
    public static MoveTargetsJson Of(ListMoveTargets.Choices c) => new(
        c.From, c.Obstacle, c.Runs, (int)c.AtMost.TotalSeconds, [.. c.Targets.Select(t => new MoveTargetJson(t.Host.Value, t.Name, t.Vcpus, t.Memory.CeilingMiB, t.Disk.CeilingGiB, t.WhyNot))]);
}

/// <param name="CloneOf">The template's volume that its root disk is a clone of; null where it stands alone. So are the next two, the second also where its host does not say how much of the clone's store is filled.</param>
/// <param name="Replaced">Whether a disk of its own has taken the clone's place, which is only to be removed.</param>
/// <param name="Obstacle">Why it cannot be detached at this moment; null where it can.</param>
/// <param name="AtMostSeconds">Roughly how long it is off.</param>
internal sealed record VmCloneJson(string Host, string? CloneOf, long? SizeBytes, decimal? FilledPercent, bool Replaced, string? Obstacle, bool Runs, int AtMostSeconds)
{
    public static VmCloneJson Of(GetVmClone.Row r) => new(r.Host, r.Cloned?.Of, r.Cloned?.Size.Bytes, r.Cloned?.Filled, r.Cloned is { Replaced: true }, r.Obstacle, r.Runs, (int)r.AtMost.TotalSeconds);
}

internal sealed record VmJson(Guid Id, string Name, string Status, string? StatusDetail, string Ip, string Plan, string Template, PriceJson Price, DateTimeOffset CreatedAt)
{
    public static VmJson Of(VmRow v) => new(v.Id.Value, v.Name, v.Status.ToString(), v.StatusDetail, v.Ip.ToString(), v.PlanName, v.TemplateName, PriceJson.Of(v.Price), v.CreatedAt);
}

/// <param name="Next">The value of <c>after</c> for the next page; null on the last.</param>
internal sealed record VmPageJson(IReadOnlyList<VmJson> Vms, Guid? Next);

/// <param name="Days">On which it is started, in its zone.</param>
/// <param name="Stop">Where it is not after <c>start</c>, on the day after.</param>
/// <param name="Zone">An IANA name.</param>
internal sealed record ScheduleBody(IReadOnlyList<DayOfWeek> Days, TimeOnly Start, TimeOnly Stop, string Zone)
{
    public WeekSchedule ToWeek() => new(Days.ToHashSet(), Start, Stop, Zone);
}

internal sealed record ScheduleJson(IReadOnlyList<DayOfWeek> Days, TimeOnly Start, TimeOnly Stop, string Zone, DateTimeOffset? NextTurn, string? NextIs)
{
    public static ScheduleJson Of(WeekSchedule w, Turn? next) => new([.. WeekSchedule.Week.Where(w.Days.Contains)], w.Start, w.Stop, w.Zone, next?.At, next?.What.ToString());
}

/// <param name="EndsAt">In the future, and not after the present end.</param>
internal sealed record LeaseBody([property: System.Text.Json.Serialization.JsonRequired] DateTimeOffset EndsAt);

/// <param name="Until">After the present end; null for no end at all.</param>
internal sealed record ExtensionBody([property: System.Text.Json.Serialization.JsonRequired] DateTimeOffset? Until, string? Note = null);

internal sealed record LeaseJson(Guid Vm, string Name, DateTimeOffset EndsAt, DateTimeOffset DeletedAt, bool Over)
{
    public static LeaseJson Of(LeaseRow l) => new(l.Vm.Value, l.Name, l.EndsAt, l.DeletedAt, l.Over);
}

/// <param name="Order">The lowest starts first; null for not at all.</param>
internal sealed record BootOrderBody([property: System.Text.Json.Serialization.JsonRequired] int? Order);

internal sealed record VmDetailsJson(
    VmJson Vm, string Stage, string Wanted, string Seen, DateTimeOffset? SeenAt, bool Saved, string? Problem, int Vcpus, long MemoryMiB, long DiskGiB, string Mac, int? BootOrder, DateTimeOffset? LeaseEndsAt, ScheduleJson? Schedule, OperationJson? Live, OperationJson? Last)
{
    public static VmDetailsJson Of(GetVm.Details d) => new(
        VmJson.Of(d.Row), d.Stage.ToString(), d.Wanted.ToString(), d.Seen, d.SeenAt, d.Saved, d.Problem, d.Vcpus, d.Memory.CeilingMiB, d.Disk.CeilingGiB, d.Mac, d.BootOrder, d.LeaseEndsAt, d.Schedule is null ? null : ScheduleJson.Of(d.Schedule, d.NextTurn),
        d.Live is null ? null : OperationJson.Of(d.Live), d.Last is null ? null : OperationJson.Of(d.Last));
}

internal sealed record AcceptedJson(Guid Operation);

/// <param name="Protocols">What to ask for as WebSocket subprotocols, in this order.</param>
internal sealed record ConsoleJson(string Path, IReadOnlyList<string> Protocols, DateTimeOffset ExpiresAt);

internal sealed record StretchJson(DateTimeOffset From, DateTimeOffset To, bool Open);

internal sealed record UsageLineJson(Guid Vm, string VmName, string Plan, string Meter, decimal Seconds, decimal RatePerHour, decimal Amount, IReadOnlyList<StretchJson> Stretches);

internal sealed record SetupLineJson(Guid Vm, string VmName, string Plan, DateTimeOffset At, decimal Amount);

/// <param name="Total">Without tax, rounded once.</param>
/// <param name="Sum">The same with tax.</param>
/// <param name="Forecast">At the month's end, if everything went on as it is now.</param>
internal sealed record UsageJson(DateTimeOffset From, DateTimeOffset To, DateTimeOffset AsOf, string Currency, IReadOnlyList<UsageLineJson> Lines, IReadOnlyList<SetupLineJson> Setups, decimal Total, TaxedJson Sum, TaxedJson Forecast)
{
    public static UsageJson Of(MonthUsage.Usage u) => new(
        u.From, u.To, u.AsOf, u.Currency.Code,
        [.. u.Lines.Select(l => new UsageLineJson(l.Vm.Value, l.VmName, l.PlanName, l.Meter.ToString(), l.Seconds, l.RatePerHour, l.Amount, [.. l.Stretches.Select(s => new StretchJson(s.From, s.To, s.Open))]))],
        [.. u.Setups.Select(s => new SetupLineJson(s.Vm.Value, s.VmName, s.PlanName, s.At, s.Amount))],
        u.Total.Amount, TaxedJson.Of(u.Sum), TaxedJson.Of(u.Forecast));
}

internal sealed record SshKeyJson(Guid Id, string Name, string Line, string Fingerprint, string AddedBy, DateTimeOffset CreatedAt)
{
    public static SshKeyJson Of(SshKeyRow k) => new(k.Id.Value, k.Name, k.Line, k.Fingerprint, k.AddedBy, k.CreatedAt);
}

internal sealed record SshKeyBody(string Line, string? Name = null);

internal sealed record MemberJson(Guid User, string Name, string Email, string Role, DateTimeOffset Since);

internal sealed record InvitationJson(Guid Id, string Email, string Role, string InvitedBy, DateTimeOffset ExpiresAt);

internal sealed record MembersJson(IReadOnlyList<MemberJson> Members, IReadOnlyList<InvitationJson> Invitations)
{
    public static MembersJson Of(ListMembers.People p) => new(
        [.. p.Members.Select(m => new MemberJson(m.User.Value, m.Name, m.Email, m.Role.ToString(), m.Since))],
        [.. p.Invitations.Select(i => new InvitationJson(i.Id.Value, i.Email, i.Role.ToString(), i.InvitedBy, i.ExpiresAt))]);
}

internal sealed record InviteBody(string Email, TenantRole Role);

/// <param name="Link">Null where it was mailed.</param>
internal sealed record InvitedJson(Guid Id, Uri? Link, DateTimeOffset ExpiresAt);

internal sealed record HostJson(
    Guid Id, string Name, string Kind, string Mode, string Hypervisor, int Cpus, int SellableVcpus, int SoldVcpus, long MemoryMiB, long SellableMemoryMiB, long SoldMemoryMiB,
    long PoolSizeGiB, long PoolFreeGiB, long SoldDiskGiB, int Vms, DateTimeOffset? SeenAt, string? Problem, IReadOnlyList<HostImageJson> Images)
{
    public static HostJson Of(App.Hosts.HostRow h) => new(
        h.Id.Value, h.Name, h.Kind.ToString(), h.Mode.ToString(), h.Hypervisor, h.Cpus, h.SellableVcpus, h.SoldVcpus, h.Memory.CeilingMiB, h.SellableMemory.CeilingMiB, h.SoldMemory.CeilingMiB,
        h.PoolSize.CeilingGiB, h.PoolFree.CeilingGiB, h.SoldDisk.CeilingGiB, h.Vms, h.SeenAt, h.Problem,
        [.. h.Images.Select(i => new HostImageJson(i.Template, i.State.ToString(), i.Problem))]);
}

internal sealed record HostDetailsJson(HostJson Host, string Instance, IReadOnlyList<App.Fleet.GetHost.GuestNetwork> Guests, App.Fleet.GetHost.RemoteHost? Remote)
{
    public static HostDetailsJson Of(App.Fleet.GetHost.Details d) => new(HostJson.Of(d.Row), d.Instance, d.Guests, d.Remote);
}

/// <param name="HostKey">The key as it was shown and compared, in OpenSSH's one line.</param>
internal sealed record NewHostBody(App.Fleet.HostForm Host, string? HostKey);

/// <param name="Port">22 where none is given.</param>
internal sealed record LookAtHostBody(string? Address, int? Port);

/// <param name="Fingerprint">As ssh-keygen -l prints it: SHA256:...</param>
internal sealed record HostKeyBody(string? Fingerprint);

internal sealed record HostImageJson(string Template, string State, string? Problem);

internal sealed record InventoryDomainJson(string Name, Guid Vm, string? VmName, string State, int? BootOrder);

internal sealed record InventoryVolumeJson(string Name, Guid Vm, string? VmName, long SizeBytes);

internal sealed record InventoryAddressJson(string Ip, Guid Vm, string? VmName);

/// <summary>A null <c>vmName</c> marks a leftover: no VM of the portal's is behind it.</summary>
internal sealed record InventoryJson(IReadOnlyList<InventoryDomainJson> Domains, IReadOnlyList<InventoryVolumeJson> Volumes, IReadOnlyList<InventoryAddressJson> Addresses)
{
    public static InventoryJson Of(ReadInventory.Inventory i) => new(
        [.. i.Domains.Select(d => new InventoryDomainJson(d.Name, d.Vm.Value, d.VmName, d.State, d.BootOrder))],
        [.. i.Volumes.Select(v => new InventoryVolumeJson(v.Name, v.Vm.Value, v.VmName, v.Size.Bytes))],
        [.. i.Addresses.Select(a => new InventoryAddressJson(a.Ip.ToString(), a.Vm.Value, a.VmName))]);
}

internal sealed record HostModeBody(App.Hosts.HostMode Mode);

/// <param name="ConfirmName">The host's name.</param>
internal sealed record WriteOffBody(string? ConfirmName);

internal sealed record WrittenOffJson(int VmsLost);

internal sealed record SetupStepBody(bool Skip);

internal sealed record TemplateBuildJson(Guid Id, string Name, string StartedBy, string State, string Log, string? Problem, DateTimeOffset CreatedAt, DateTimeOffset? FinishedAt)
{
    public static TemplateBuildJson Of(TemplateBuildRow b) => new(b.Id.Value, b.Name, b.StartedBy, b.State.ToString(), b.Log, b.Problem, b.CreatedAt, b.FinishedAt);
}

/// <param name="Release">A codename of Debian: bookworm or trixie; GET /api/v1/templates/releases says which can be fetched.</param>
internal sealed record TemplateBuildBody(string Release);

/// <param name="Fetchable">Whether it is where the portal's machine has its own packages from.</param>
internal sealed record ReleaseJson(string Release, string Name, string Slug, bool Fetchable)
{
    public static ReleaseJson Of(ReleaseRow r) => new(r.Release.Codename, r.Release.Name, r.Release.Slug, r.Fetchable);
}

/// <param name="Slug">The template's short name; that of an earlier import makes a new version of it.</param>
/// <param name="Address">Where the image is fetched from; it comes from there or from an upload.</param>
/// <param name="Upload">The id of what was uploaded.</param>
/// <param name="Sha256">Of the file as it comes.</param>
internal sealed record TemplateImportBody(
    string Slug, string Name, string SignIn, long MinMemoryMiB, long MinDiskGiB, ImageFormat Format, ImageBoot Boot, ImagePacking Packing = ImagePacking.None, string? Description = null, string? Address = null, Guid? Upload = null, string? Sha256 = null);

/// <param name="Server">The server's IPv4 address.</param>
/// <param name="Path">An absolute path; %s in it stands for the VM's address.</param>
/// <param name="Writable">Whether each VM writes to a directory of its own, which takes %s; else all share one, and what they write stays in their memory.</param>
internal sealed record NfsJson(string Server, string Path, bool Writable);

/// <param name="Slug">The template's short name; that of another NFS root makes a new version of it.</param>
internal sealed record NfsTemplateBody(string Slug, string Name, string SignIn, long MinMemoryMiB, NfsJson Nfs, string? Description = null);

internal sealed record UploadedJson(Guid Id, long SizeBytes);

/// <param name="Deprecated">Not offered any more; its VMs stay.</param>
/// <param name="PausedBecause">Why it cannot be ordered for now, for tenants to read; absent where it can.</param>
/// <param name="OnlyFor">The tenants that it is there for; absent for all.</param>
/// <param name="MinMemoryMiB">What VMs of it have to have at least; absent leaves it as it is, as does the next.</param>
internal sealed record TemplateBody(
    string Name, string? Description = null, string? SignIn = null, bool Offered = true, bool Deprecated = false, string? PausedBecause = null, IReadOnlyList<Guid>? OnlyFor = null, long? MinMemoryMiB = null, long? MinDiskGiB = null)
{
    public ChangeTemplate.Request ToRequest(TemplateId template) =>
        new(template, Name, Description ?? "", SignIn ?? "", Offered, Deprecated, PausedBecause, OnlyFor?.Select(o => new TenantId(o)).ToList(), MinMemoryMiB, MinDiskGiB);
}

internal sealed record ChangeJson(DateTimeOffset At, string By, string Verb, string Details);

internal sealed record TroubleJson(Guid Vm, string Name, string Status, string? Why);

/// <param name="Month">This month so far, rounded as a statement and without tax; null for those who may not see costs, as is the rest of the money.</param>
internal sealed record OverviewJson(
    IReadOnlyDictionary<string, int> Vms, IReadOnlyList<TroubleJson> Troubles, int OrdersWaiting, QuotaJson Quota, IReadOnlyList<OperationJson> Live, string? Currency, decimal? Month, decimal? Forecast, TaxedJson? MonthTaxed, TaxedJson? ForecastTaxed)
{
    public static OverviewJson Of(GetOverview.Overview o) => new(
        o.Counts.ToDictionary(c => c.Key.ToString(), c => c.Value), [.. o.Troubles.Select(t => new TroubleJson(t.Vm.Value, t.Name, t.Status.ToString(), t.Why))], o.OrdersWaiting, QuotaJson.Of(o.Quota),
        [.. o.Live.Select(OperationJson.Of)], o.Month?.Net.Currency.Code, o.Month?.Net.Amount, o.Forecast?.Net.Amount, o.Month is null ? null : TaxedJson.Of(o.Month), o.Forecast is null ? null : TaxedJson.Of(o.Forecast));
}

/// <param name="MonthNow">What the tenant's VMs cost a month now, without this order.</param>
internal sealed record DecisionJson(OrderDetailsJson Order, QuotaJson Quota, int HostsThatFit, bool FitsNow, string Currency, decimal MonthNow, int EarlierOrders, int EarlierDenied)
{
    public static DecisionJson Of(GetDecision.Facts f) => new(
        OrderDetailsJson.Of(f.Order), QuotaJson.Of(f.Quota), f.HostsThatFit, f.FitsNow, f.MonthNow.Currency.Code, f.MonthNow.Amount, f.EarlierOrders, f.EarlierDenied);
}

/// <param name="Largest">Where the size is chosen with the order, between this and the plan's own; absent where it is fixed.</param>
/// <param name="PausedBecause">Why it cannot be ordered for now, for tenants to read; absent where it can.</param>
/// <param name="Stock">How many VMs of it there may be at once, waiting orders included; absent for no bound.</param>
internal sealed record PlanBody(string Name, int Vcpus, long MemoryMiB, long DiskGiB, bool Offered = true, SizeJson? Largest = null, string? PausedBecause = null, int? Stock = null)
{
    public SavePlan.Request ToRequest(PlanId? plan) => new(plan, Name, Vcpus, MemoryMiB, DiskGiB, Offered, Largest is { } l ? new SavePlan.LargestSize(l.Vcpus, l.MemoryMiB, l.DiskGiB) : null, PausedBecause, Stock);
}

/// <param name="Setup">Once for each VM, when it first runs.</param>
/// <param name="Tenant">Whose own price it is; absent for the list's.</param>
/// <param name="From">When it begins; absent for now.</param>
internal sealed record PriceBody(
    string Currency, decimal RunningPerHour, decimal AllocatedPerHour, decimal RunningPerVcpu = 0, decimal RunningPerMemoryGiB = 0, decimal AllocatedPerDiskGiB = 0, decimal Setup = 0, Guid? Tenant = null, DateTimeOffset? From = null)
{
    public Tariff ToTariff(Currency currency) => new(new Price(currency, RunningPerHour, AllocatedPerHour, Setup), RunningPerVcpu, RunningPerMemoryGiB, AllocatedPerDiskGiB);
}

/// <param name="MinorUnits">The decimals of its smallest coin.</param>
internal sealed record CurrencyJson(string Code, int MinorUnits);

/// <param name="From">When it ends; absent for now.</param>
internal sealed record EndPriceBody([property: JsonRequired] Guid Tenant, DateTimeOffset? From = null);

/// <param name="Tenant">Whose own price it is; null for the list's.</param>
/// <param name="Price">Of the smallest size; null, as are the rates after it, where a tenant's own price ends.</param>
/// <param name="Until">When the next one begins; null where none is there.</param>
internal sealed record PriceRowJson(Guid Id, Guid? Tenant, string? TenantName, string Currency, PriceJson? Price, decimal? RunningPerVcpu, decimal? RunningPerMemoryGiB, decimal? AllocatedPerDiskGiB, DateTimeOffset From, DateTimeOffset? Until, string State)
{
    public static PriceRowJson Of(PriceRow r) => new(
        r.Id, r.Buyer?.Value, r.BuyerName, r.Currency.Code, r.Tariff is null ? null : PriceJson.Of(r.Tariff.Smallest), r.Tariff?.RunningPerVcpu, r.Tariff?.RunningPerMemoryGiB, r.Tariff?.AllocatedPerDiskGiB, r.ValidFrom, r.Until, r.State.ToString());
}

/// <param name="Now">What its VMs of the plan cost a month while they run.</param>
/// <param name="Then">What the same would cost if they were ordered at that price.</param>
/// <param name="OwnPrice">It has a price of its own, which this one does not reach.</param>
internal sealed record PriceEffectJson(Guid Tenant, string Name, int Vms, string Currency, decimal Now, decimal Then, decimal More, bool OwnPrice)
{
    public static PriceEffectJson Of(PreviewPrice.Effect e) => new(e.Tenant.Value, e.Name, e.Vms, e.Now.Currency.Code, e.Now.Amount, e.Then.Amount, e.More.Amount, e.OwnPrice);
}

/// <param name="Limit">A month, without tax; absent for none.</param>
/// <param name="Rule">What happens beyond it: "Warn", "BlockOrders", or "BlockGrowth", where nothing is started or adopted either.</param>
internal sealed record SpendingBody(decimal? Limit, SpendingRule Rule = SpendingRule.Warn);

/// <param name="Now">A month, without tax, if all that runs runs on.</param>
/// <param name="InOrders">What waiting orders would add.</param>
internal sealed record SpendingJson(string Currency, decimal Now, decimal InOrders, decimal? Limit, string Rule)
{
    public static SpendingJson Of(SpendingState s) => new(s.Now.Currency.Code, s.Now.Amount, s.InOrders.Amount, s.Limit?.Amount, s.Rule.ToString());
}

/// <param name="Counts">Whether it counts for vCPU and memory.</param>
internal sealed record BigVmJson(Guid Vm, string Name, int Vcpus, long MemoryMiB, long DiskGiB, bool Counts);

/// <param name="Until">When it expires.</param>
internal sealed record HoldingJson(Guid Order, int Number, string What, int Vms, int Vcpus, long MemoryMiB, long DiskGiB, DateTimeOffset Until);

/// <param name="Beyond">What there is more of than is allowed: limits may be lowered below what is used.</param>
/// <param name="Spending">Null for those who may not see costs.</param>
internal sealed record QuotaDetailsJson(QuotaJson Quota, IReadOnlyList<string> Beyond, IReadOnlyList<BigVmJson> Biggest, IReadOnlyList<HoldingJson> Holdings, SpendingJson? Spending)
{
    public static QuotaDetailsJson Of(GetQuota.Quota q) => new(
        QuotaJson.Of(q.State), q.State.Beyond,
        [.. q.Biggest.Select(b => new BigVmJson(b.Vm.Value, b.Name, b.Vcpus, b.Memory.CeilingMiB, b.Disk.CeilingGiB, b.Counts))],
        [.. q.Holdings.Select(h => new HoldingJson(h.Order.Value, h.Number, h.What, h.Amount.Vms, h.Amount.Vcpus, h.Amount.Memory.CeilingMiB, h.Amount.Disk.CeilingGiB, h.Until))],
        q.Spending is null ? null : SpendingJson.Of(q.Spending));
}

/// <param name="From">When it begins; absent for now.</param>
internal sealed record TaxRateBody([property: JsonRequired] decimal Percent, DateTimeOffset? From = null);

internal sealed record TaxRateJson(Guid Id, decimal Percent, DateTimeOffset From, string State)
{
    public static TaxRateJson Of(TaxRateRow r) => new(r.Id, r.Percent, r.ValidFrom, r.State.ToString());
}

internal sealed record CreatedJson(Guid Id);
