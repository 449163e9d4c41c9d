using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Hosts;
using Portal.App.Operations;
using Portal.App.Pricing;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Control;

/// <summary>A VM as lists show it.</summary>
public sealed record VmRow(
    VmId Id,
    string Name,
    ShownStatus Status,
    string? StatusDetail,
    Ipv4Address Ip,
    string PlanName,
    string TemplateName,
    Price Price,
    DateTimeOffset CreatedAt);

/// <summary>Lists a tenant's VMs, the newest first, a page at a time.</summary>
public static class ListVms
{
    public const int PageSize = 50;

    /// <param name="Search">Part of a name or an address; null or empty for all.</param>
    /// <param name="After">The last VM of the page before; null for the first page.</param>
    /// <param name="Before">The first VM of the page after, to go back; null otherwise.</param>
    public sealed record Request(TenantId Tenant, string? Search = null, VmId? After = null, VmId? Before = null);

    /// <param name="Older">Whether there is a page after this one.</param>
    /// <param name="Newer">Whether there is a page before this one.</param>
    public sealed record Page(IReadOnlyList<VmRow> Rows, bool Older, bool Newer);

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        public async Task<Result<Page>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.SeeTenant, request.Tenant) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForTenant(request.Tenant);
            // Ids are UUID version 7: they grow with time, so the key is also the order, and a page never moves under its reader.
            var query = db.Vms.AsNoTracking().Where(v => v.TenantId == request.Tenant && v.DeletedAt == null);
            if (request.Search?.Trim().ToLowerInvariant() is { Length: > 0 } search)
            {
                var pattern = $"%{search.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal)}%";
                query = Ipv4Address.TryParse(search, out var ip)
                    ? query.Where(v => v.Ip == ip)
                    : query.Where(v => EF.Functions.Like(v.Name, pattern));
            }

            List<Vm> vms;
            bool older, newer;
            if (request.Before is { } before)
            {
                vms = await query.Where(v => v.Id > before).OrderBy(v => v.Id).Take(PageSize + 1).ToListAsync(ct);
                newer = vms.Count > PageSize;
                older = true;
                vms = [.. vms.Take(PageSize).Reverse()];
            }
            else
            {
                var page = request.After is { } after ? query.Where(v => v.Id < after) : query;
                vms = await page.OrderByDescending(v => v.Id).Take(PageSize + 1).ToListAsync(ct);
                older = vms.Count > PageSize;
                newer = request.After is not null;
                vms = [.. vms.Take(PageSize)];
            }

            return new Page(await VmReader.RowsAsync(db, vms, ct), older, newer);
        }
    }
}

/// <summary>One VM with all that its page shows.</summary>
public static class GetVm
{
    public sealed record Request(TenantId Tenant, VmId Vm);

    /// <param name="Seen">What the host last said, in a word: "Running".</param>
    /// <param name="Saved">Its memory is kept while it is off; its next start goes on from there.</param>
    /// <param name="Live">What is under way; null where nothing is.</param>
    /// <param name="Last">The last operation that ended; null before the first.</param>
    /// <param name="HostName">For staff only; null for others.</param>
    /// <param name="BootOrder">Its place among those that are started after a boot of its host; null where it is not started then.</param>
    /// <param name="LeaseEndsAt">When its lease ends; null where it may stay.</param>
    /// <param name="LeaseIsOver">Whether that is past, so that it can be started no more.</param>
    /// <param name="Schedule">When it is started and shut down; null where it is left alone. So is <paramref name="NextTurn"/>.</param>
    /// <param name="Inbound">Whether connections from outside reach its address.</param>
    public sealed record Details(
        VmRow Row,
        VmStage Stage,
        WantedState Wanted,
        string Seen,
        DateTimeOffset? SeenAt,
        DateTimeOffset? SeenSince,
        bool Saved,
        DateTimeOffset? DeletedAt,
        string? Problem,
        int Vcpus,
        ByteSize Memory,
        ByteSize Disk,
        string Mac,
        string SignIn,
        string CreatedBy,
        IReadOnlyList<string> SshKeyFingerprints,
        OperationRow? Live,
        OperationRow? Last,
        string? HostName,
        bool Inbound,
        int? BootOrder,
        DateTimeOffset? LeaseEndsAt,
        bool LeaseIsOver,
        WeekSchedule? Schedule,
        Turn? NextTurn,
        VmActions Can,
        bool TemplateDeprecated = false);

    public sealed class Handler(PortalDbs dbs, AccessRules access, IVmEngines engines)
    {
        public async Task<Result<Details>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.SeeTenant, request.Tenant) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForTenant(request.Tenant);
            var vm = await db.Vms.AsNoTracking().SingleOrDefaultAsync(v => v.Id == request.Vm && v.TenantId == request.Tenant, ct);
            if (vm is null)
            {
                return new NotFound("VM");
            }

            var row = (await VmReader.RowsAsync(db, [vm], ct)).Single();
            var operations = await db.Operations.AsNoTracking().Include(o => o.Steps.OrderBy(s => s.Ordinal)).Where(o => o.VmId == vm.Id).OrderByDescending(o => o.CreatedAt).Take(2).ToListAsync(ct);
            var live = operations.FirstOrDefault(o => o.IsLive);
            var made = await (from version in db.TemplateVersions
                              join template in db.Templates on version.TemplateId equals template.Id
                              where version.Id == vm.TemplateVersionId
                              select new { template.SignIn, template.Deprecated }).SingleOrDefaultAsync(ct);
            var host = await HostOfAsync(vm, ct);
            var now = await db.NowAsync(ct);
            var over = vm.LeaseIsOver(now);
            var week = (await db.VmSchedules.AsNoTracking().SingleOrDefaultAsync(s => s.VmId == vm.Id, ct))?.Week;
            return new Details(
                row,
                vm.Stage,
                vm.Wanted,
                vm.Seen.ToString(),
                vm.SeenAt,
                vm.SeenSince,
                vm.Saved,
                vm.DeletedAt,
                vm.Problem,
                vm.Vcpus,
                vm.Memory,
                vm.Disk,
                vm.Mac.ToString(),
                made?.SignIn ?? "As before it was adopted.",
                vm.CreatedBy,
                [.. vm.SshKeys.Select(k => $"{k.Fingerprint} {k.Comment}".Trim())],
                live is null ? null : await ShownAsync(live, actor, ct),
                operations.FirstOrDefault(o => !o.IsLive) is { } last ? OperationRow.Of(last) : null,
                access.Allows(actor, Permission.SeeHosts) ? host.Name : null,
                // QEMU's user-mode network lets guests out and nobody in.
                host.Kind != HostKind.LocalLibvirt,
                vm.BootOrder,
                vm.LeaseEndsAt,
                over,
                week,
                week?.NextTurn(now),
                VmActions.Of(vm, live, engines.For(host.Connection).Abilities, access.Allows(actor, Permission.ControlVms, request.Tenant), access.Allows(actor, Permission.UseConsole, request.Tenant), over) with
                {
                    Move = live is null && access.Allows(actor, Permission.ManageHosts) && vm.Stage == VmStage.Ready && vm.Adopted is null && engines.For(host.Connection).Abilities.Contains(DomainAbility.Move),
                    Detach = live is null && access.Allows(actor, Permission.ManageHosts) && vm.Stage == VmStage.Ready && vm.Adopted is null && engines.For(host.Connection).Abilities.Contains(DomainAbility.Detach),
                },
                made?.Deprecated == true);
        }

        private async Task<OperationRow> ShownAsync(Operation live, Actor actor, CancellationToken ct)
        {
            await using var db = dbs.ForSystem();
            return await OperationRow.Of(live).WithMoveAsync(db, access.Allows(actor, Permission.SeeHosts), ct);
        }

        private async Task<Host> HostOfAsync(Vm vm, CancellationToken ct)
        {
            await using var db = dbs.ForSystem();
            return await db.Hosts.AsNoTracking().SingleAsync(h => h.Id == vm.HostId, ct);
        }
    }
}

/// <summary>What a person may do to a VM now. What its host cannot is not among it.</summary>
public sealed record VmActions
{
    public bool Start { get; init; }

    public bool ShutDown { get; init; }

    /// <summary>Also of one that is off and saved: that gives its memory up.</summary>
    public bool PowerOff { get; init; }

    public bool Reboot { get; init; }

    public bool Delete { get; init; }

    public bool RetryBuild { get; init; }

    public bool Console { get; init; }

    public bool Pause { get; init; }

    public bool Resume { get; init; }

    public bool Save { get; init; }

    public bool SysRq { get; init; }

    /// <summary>To use less memory than was ordered, or all of it again, while it runs.</summary>
    public bool AdjustMemory { get; init; }

    /// <summary>The same with vCPUs.</summary>
    public bool AdjustVcpus { get; init; }

    /// <summary>To say whether it is started after a boot of its host.</summary>
    public bool SetBootOrder { get; init; }

    /// <summary>To take it to another host: for those who look after hosts.</summary>
    public bool Move { get; init; }

    /// <summary>To make a root disk that cannot be without its template's one of its own: for those who look after hosts.</summary>
    public bool Detach { get; init; }

    public bool Adjust => AdjustMemory || AdjustVcpus;

    public static VmActions Of(Vm vm, Operation? live, IReadOnlySet<DomainAbility> abilities, bool mayControl, bool mayUseConsole, bool leaseIsOver = false)
    {
        var free = mayControl && live is null;
        var there = free && vm.Stage == VmStage.Ready;
        var on = vm.Seen is DomainState.Running or DomainState.Paused or DomainState.Stopping;
        var runs = there && vm.Seen == DomainState.Running;
        return new VmActions
        {
            Start = there && !on && !leaseIsOver,
            ShutDown = runs,
            PowerOff = there && (on || vm.Seen == DomainState.Crashed || vm.Saved || vm.Wanted == WantedState.Running),
            Reboot = runs && !leaseIsOver,
            Delete = free && vm.Stage is VmStage.Ready or VmStage.Failed or VmStage.Deleting,
            RetryBuild = free && vm.Stage == VmStage.Failed && !leaseIsOver,
            Console = mayUseConsole && (on || live is { Kind: OperationKind.Build or OperationKind.Start or OperationKind.Reboot or OperationKind.Adopt }),
            Pause = runs && abilities.Contains(DomainAbility.Pause),
            Resume = there && vm.Seen == DomainState.Paused && abilities.Contains(DomainAbility.Pause),
            Save = runs && abilities.Contains(DomainAbility.Save),
            SysRq = runs && abilities.Contains(DomainAbility.SysRq),
            AdjustMemory = runs && abilities.Contains(DomainAbility.Memory),
            SetBootOrder = mayControl && vm.Stage is VmStage.Building or VmStage.Ready or VmStage.Failed,
            AdjustVcpus = runs && abilities.Contains(DomainAbility.Vcpus),
        };
    }
}

internal static class VmReader
{
    public static async Task<IReadOnlyList<VmRow>> RowsAsync(PortalDb db, IReadOnlyList<Vm> vms, CancellationToken ct)
    {
        var ids = vms.Select(v => v.Id).ToList();
        var live = await db.Operations.AsNoTracking().Include(o => o.Steps).Where(o => ids.Contains(o.VmId) && o.FinishedAt == null).ToDictionaryAsync(o => o.VmId, ct);
        var failed = (await db.Operations.AsNoTracking().Where(o => ids.Contains(o.VmId) && o.FinishedAt != null)
                .GroupBy(o => o.VmId).Select(g => g.OrderByDescending(o => o.FinishedAt).First()).ToListAsync(ct))
            .Where(o => o.State == OperationState.Failed).ToDictionary(o => o.VmId);
        var now = await db.NowAsync(ct);
        return
        [
            .. vms.Select(v =>
            {
                var operation = live.GetValueOrDefault(v.Id);
                var status = Shown.Of(new StatusFacts(v.Stage, v.Wanted, v.Seen, v.SeenAt, v.Saved, operation?.Kind, operation?.State, failed.ContainsKey(v.Id)), now);
                return new VmRow(v.Id, v.Name, status, Detail(v, operation, failed.GetValueOrDefault(v.Id), status), v.Ip, v.PlanName, v.TemplateName, new Price(v.Currency, v.RunningPerHour, v.AllocatedPerHour, v.Setup), v.CreatedAt);
            }),
        ];
    }

    private static string? Detail(Vm vm, Operation? live, Operation? failed, ShownStatus status) => status switch
    {
        _ when live is { State: OperationState.Undoing } => "taking back what was done",
        _ when live is { State: OperationState.Waiting } => live.Problem ?? "queued",
        _ when live is not null => $"step {Math.Min(live.Steps.Count, live.Steps.Count(s => s.State == StepState.Done) + 1)} of {live.Steps.Count}",
        ShownStatus.Failed => vm.Problem ?? failed?.Problem,
        ShownStatus.Unreachable => $"seen {vm.Seen.ToString().ToLowerInvariant()} last",
        ShownStatus.Differs => $"wanted {vm.Wanted.ToString().ToLowerInvariant()}, seen {vm.Seen.ToString().ToLowerInvariant()}",
        _ => null,
    };
}
