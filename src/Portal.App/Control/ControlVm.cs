using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Fleet;
using Portal.App.Hosts;
using Portal.App.Operations;
using Portal.App.Pricing;
using Portal.App.Quotas;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Control;

/// <summary>The VM is not in a state for this.</summary>
public sealed record NotNow(string Vm, string Why)
    : Refusal("control.not_now", $"{Vm} {Why}");

/// <summary>The VM's lease is over: it is not to run.</summary>
public sealed record LeaseEnded(string Vm, DateTimeOffset At)
    : Refusal("control.lease_ended", $"The lease of {Vm} ended on {At.UtcDateTime:d MMM yyyy, HH:mm} UTC. Ask for more time; on {Lease.DeletedAt(At).UtcDateTime:d MMM yyyy} it is deleted.");

/// <summary>The name that was typed is not the VM's.</summary>
public sealed record NameDiffers(string Vm)
    : Refusal("control.name_differs", $"Type the VM's name, {Vm}, to delete it: its disk is lost for good.")
{
    public override RefusalKind Kind => RefusalKind.Invalid;

    public override string? Field => "confirmName";
}

/// <summary>Starts, shuts down, forces off or reboots a VM.</summary>
public static class PowerVm
{
    /// <summary>What can be asked of a VM's power.</summary>
    public enum Action
    {
        Start,
        ShutDown,
        PowerOff,
        Reboot,
    }

    public sealed record Request(TenantId Tenant, VmId Vm, Action Action);

    public sealed class Handler(PortalDbs dbs, AccessRules access, Doorbell doorbell)
    {
        /// <summary>Gives the operation that does it; it is done when the host has been seen so. Asking for what is already under way gives that operation.</summary>
        public Task<Result<OperationId>> HandleAsync(Request request, Actor actor, CancellationToken ct) =>
            VmDesk.AskAsync(dbs, access, doorbell, request.Tenant, request.Vm, KindOf(request.Action), actor, (vm, now) => Check(vm, request.Action, now), ct, grows: request.Action == Action.Start);

        private static OperationKind KindOf(Action action) => action switch
        {
            Action.Start => OperationKind.Start,
            Action.ShutDown => OperationKind.ShutDown,
            Action.PowerOff => OperationKind.PowerOff,
            Action.Reboot => OperationKind.Reboot,
        };

        private static Refusal? Check(Vm vm, Action action, DateTimeOffset now)
        {
            if (VmDesk.NotReady(vm) is { } not)
            {
                return not;
            }

            if (action is Action.Start or Action.Reboot && VmDesk.LeaseOver(vm, now) is { } over)
            {
                return over;
            }

            switch (action)
            {
                case Action.Start when vm.Seen == DomainState.Paused:
                    return new NotNow(vm.Name, "is paused: resume it.");
                case Action.Start when vm.Seen is DomainState.Running or DomainState.Stopping:
                    return new NotNow(vm.Name, "is running already.");
                case Action.ShutDown or Action.Reboot when vm.Seen is not DomainState.Running:
                    return new NotNow(vm.Name, "is not running.");
                // A saved one is off and still keeps its memory, which this gives up.
                case Action.PowerOff when vm.Seen is DomainState.Off or DomainState.Absent && !vm.Saved && vm.Wanted == WantedState.Stopped:
                    return new NotNow(vm.Name, "is off already.");
                case Action.Start or Action.Reboot:
                    vm.Want(WantedState.Running);
                    return null;
                default:
                    vm.Want(WantedState.Stopped);
                    return null;
            }
        }
    }
}

/// <summary>Deletes a VM and its disk for good.</summary>
public static class DeleteVm
{
    /// <param name="ConfirmName">The VM's name, typed.</param>
    public sealed record Request(TenantId Tenant, VmId Vm, string ConfirmName);

    public sealed class Handler(PortalDbs dbs, AccessRules access, Doorbell doorbell)
    {
        /// <summary>Gives the operation that does it. Works from every state that nothing is under way in.</summary>
        public Task<Result<OperationId>> HandleAsync(Request request, Actor actor, CancellationToken ct) =>
            VmDesk.AskAsync(dbs, access, doorbell, request.Tenant, request.Vm, OperationKind.Delete, actor, vm =>
            {
                if (!string.Equals(request.ConfirmName.Trim(), vm.Name, StringComparison.Ordinal))
                {
                    return new NameDiffers(vm.Name);
                }

                if (vm.Stage == VmStage.Deleting)
                {
                    return null;
                }

                if (!Vm.CanMove(vm.Stage, VmStage.Deleting))
                {
                    return new NotNow(vm.Name, "is still being built. Cancel the build first.");
                }

                vm.MoveTo(VmStage.Deleting);
                vm.Want(WantedState.Stopped);
                return null;
            }, ct);
    }
}

/// <summary>Builds a VM again whose build failed.</summary>
public static class RetryBuild
{
    public sealed record Request(TenantId Tenant, VmId Vm);

    public sealed class Handler(PortalDbs dbs, AccessRules access, Doorbell doorbell)
    {
        public Task<Result<OperationId>> HandleAsync(Request request, Actor actor, CancellationToken ct) =>
            VmDesk.AskAsync(dbs, access, doorbell, request.Tenant, request.Vm, OperationKind.Build, actor, (vm, now) =>
            {
                if (vm.Stage != VmStage.Failed)
                {
                    return new NotNow(vm.Name, "was built already.");
                }

                if (VmDesk.LeaseOver(vm, now) is { } over)
                {
                    return over;
                }

                vm.MoveTo(VmStage.Building);
                vm.Want(WantedState.Running);
                return null;
            }, ct, grows: true);
    }
}

/// <summary>The way from a wish to an operation, the same for all.</summary>
internal static class VmDesk
{
    public static Task<Result<OperationId>> AskAsync(
        PortalDbs dbs, AccessRules access, Doorbell doorbell, TenantId tenant, VmId id, Work work, Actor actor, Func<Vm, Refusal?> prepare, CancellationToken ct, bool grows = false) =>
        AskAsync(dbs, access, doorbell, tenant, id, work, actor, (vm, _) => prepare(vm), ct, grows);

    public static async Task<Result<OperationId>> AskAsync(
        PortalDbs dbs, AccessRules access, Doorbell doorbell, TenantId tenant, VmId id, Work work, Actor actor, Func<Vm, DateTimeOffset, Refusal?> prepare, CancellationToken ct, bool grows = false)
    {
        if (access.Check(actor, Permission.ControlVms, tenant) is { } refusal)
        {
            return refusal;
        }

        Operation operation;
        await using (var db = dbs.ForTenant(tenant))
        {
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            if (grows)
            {
                await db.LockTenantAsync(tenant, ct);
            }

            var vm = (await db.Vms.FromSql($"SELECT *, xmin FROM vms WHERE id = {id.Value} AND tenant_id = {tenant.Value} FOR UPDATE").ToListAsync(ct)).SingleOrDefault();
            if (vm is null || vm.Stage == VmStage.Deleted)
            {
                return new NotFound("VM");
            }

            if (await db.FindLiveOperationAsync(id, ct) is { } live)
            {
                return live.Does(work) && !live.CancelRequested ? live.Id : new VmBusy(live.Words);
            }

            var now = await db.NowAsync(ct);
            var before = vm.CountsAsRunning;
            if ((prepare(vm, now) ?? (grows && !before ? await CheckGrowthAsync(db, vm, ct) : null)) is { } not)
            {
                return Result<OperationId>.Of(not);
            }

            operation = db.Ask(vm, work, actor, now);
            await db.SaveChangesAsync(ct);
            await db.AnnounceAsync(Topic.Of(id), ct);
            await db.AnnounceAsync(Topic.Of(tenant), ct);
            await transaction.CommitAsync(ct);
        }

        doorbell.Ring(operation.Id);
        return operation.Id;
    }

    /// <summary>What stands against running what is off, under the rule that running VMs count and where a month may not get dearer. Its own row still says that it is off; the tenant is locked.</summary>
    public static async Task<Refusal?> CheckGrowthAsync(PortalDb db, Vm vm, CancellationToken ct)
    {
        var tenant = await db.Tenants.AsNoTracking().SingleAsync(t => t.Id == vm.TenantId, ct);
        return (tenant.RunningOnly ? (await db.ReadQuotaAsync(tenant, ct)).Check(new QuotaAmount(0, vm.Vcpus, vm.Memory, ByteSize.Zero)) : null)
            ?? (await db.ReadSpendingAsync(tenant, ct)).CheckGrowth(new Money(vm.RunningPerHour * Price.HoursPerMonth, vm.Currency));
    }

    /// <summary>Why nothing can be done with the VM's domain; null where it exists.</summary>
    public static NotNow? NotReady(Vm vm) => vm.Stage == VmStage.Ready
        ? null
        : new NotNow(vm.Name, vm.Stage == VmStage.Failed ? "was not built. Build it again or delete it." : "is not ready for this.");

    /// <summary>Why it is not to run any more; null where its lease goes on, or has no end.</summary>
    public static LeaseEnded? LeaseOver(Vm vm, DateTimeOffset now) => vm.LeaseEndsAt is { } end && vm.LeaseIsOver(now) ? new LeaseEnded(vm.Name, end) : null;

    /// <summary>Why its disks are not to be exchanged for others now; null where nothing stands against it: whatever goes on from memory wants the disks that it had.</summary>
    public static NotNow? NotSettled(Vm vm) => vm.Saved ? new NotNow(vm.Name, "has its memory saved on its host: start it, or give that memory up.")
        : vm.Seen switch
        {
            DomainState.Paused => new NotNow(vm.Name, "is paused: resume it."),
            DomainState.Stopping => new NotNow(vm.Name, "is on its way down: wait until it is off."),
            _ => null,
        };

    /// <summary>A VM, and what its host says of its disks.</summary>
    /// <param name="Disks">Null where it is not ready, and so has none to speak of.</param>
    public sealed record DiskSight(Vm Vm, Host Host, DiskListing? Disks);

    /// <summary>Asks a VM's host for its disks, for a kind of operation that its driver has to offer.</summary>
    public static async Task<Result<DiskSight>> LookAtDisksAsync(PortalDbs dbs, IVmEngines engines, TenantId tenant, VmId id, DomainAbility ability, OperationKind kind, CancellationToken ct)
    {
        Vm? vm;
        Host host;
        await using (var db = dbs.ForSystem())
        {
            vm = await db.Vms.AsNoTracking().SingleOrDefaultAsync(v => v.Id == id && v.TenantId == tenant && v.DeletedAt == null, ct);
            if (vm is null)
            {
                return new NotFound("VM");
            }

            host = await db.Hosts.AsNoTracking().SingleAsync(h => h.Id == vm.HostId, ct);
        }

        var engine = engines.For(host.Connection);
        if (!engine.Abilities.Contains(ability))
        {
            return new NotOfferedHere(vm.Name, kind.Words());
        }

        try
        {
            return new DiskSight(vm, host, vm.Stage == VmStage.Ready ? await engine.ListDisksAsync(vm.DomainOn(host), ct) : null);
        }
        catch (HostFaultException fault)
        {
            return new HostSilent(host.Name, fault.Message);
        }
    }
}
