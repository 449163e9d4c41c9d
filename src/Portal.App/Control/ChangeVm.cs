using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Hosts;
using Portal.App.Operations;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Control;

/// <summary>The VM's host has no such thing.</summary>
public sealed record NotOfferedHere(string Vm, string What)
    : Refusal("control.not_offered", $"The host of {Vm} does not offer this: {What}.");

/// <summary>Changes something of a VM beside its power: pauses it, saves it to disk, has it use less.</summary>
public static class ChangeVm
{
    /// <summary>A guest with less than this does not live.</summary>
    public static readonly ByteSize LeastMemory = ByteSize.FromMiB(64);

    public const int MaxWeight = 65535;

    /// <summary>At most so many processors are named in one request.</summary>
    public const int MaxCpus = 512;

    private const string DiskNames = "The guest's name for it is xvdc to xvdp, on a KVM host vdc to vdp.";

    /// <param name="Change">Tenants pause, resume, save, press keys, and use less than they ordered; operators also pin and share.</param>
    public sealed record Request(TenantId Tenant, VmId Vm, DomainChange Change);

    public sealed class Handler(PortalDbs dbs, AccessRules access, IVmEngines engines, Doorbell doorbell)
    {
        /// <summary>Gives the operation that does it. Asking for the same once more while it is under way gives that operation.</summary>
        public async Task<Result<OperationId>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            var change = request.Change;
            if (CheckShape(change) is { } wrong)
            {
                return wrong;
            }

            if ((access.Check(actor, Permission.ControlVms, request.Tenant) ?? CheckStaff(change, actor)) is { } refusal)
            {
                return refusal;
            }

            if (await FindHostAsync(request, ct) is not { } host)
            {
                return new NotFound("VM");
            }

            var engine = engines.For(host.Connection);
            return await VmDesk.AskAsync(dbs, access, doorbell, request.Tenant, request.Vm, Work.Of(change), actor, vm => Check(change, vm, host, engine), ct);
        }

        private static Refusal? CheckShape(DomainChange change) => change switch
        {
            DomainChange.Pause or DomainChange.Resume or DomainChange.Save => null,
            DomainChange.PressSysRq(var key) => Shape.Check((SysRq.Find(key) is not null, "key", $"The keys that can be pressed are {string.Join(' ', SysRq.Keys.Select(k => k.Key))}.")),
            DomainChange.SetMemory(var memory) => Shape.Check((memory >= LeastMemory, "memoryMiB", $"A guest needs at least {LeastMemory}.")),
            DomainChange.SetVcpus(var vcpus) => Shape.Check((vcpus >= 1, "vcpus", "A guest needs at least 1 vCPU.")),
            DomainChange.Pin(var vcpu, var cpus) => Shape.Check(
                (vcpu is null or >= 0, "vcpu", "vCPUs are counted from 0; leave it out for all of them."),
                (cpus.Count <= MaxCpus && cpus.All(c => c >= 0) && cpus.Distinct().Count() == cpus.Count, "cpus", $"Name each of the host's processors once, counted from 0, and at most {MaxCpus}.")),
            DomainChange.SetShare(var weight, var cap) => Shape.Check(
                (weight is >= 1 and <= MaxWeight, "weight", $"A weight is 1 to {MaxWeight}; 256 is everybody's."),
                (cap >= 0, "cap", "A cap is in percent of one processor; 0 for none.")),
            DomainChange.AttachDevice(var path, var device, _) => Shape.Check(
                (HostNames.IsDevice(path), "path", "A block device's path on the host, such as /dev/sdb1."),
                (IsGuestDevice(device), "device", DiskNames)),
            DomainChange.DetachVolume(var device) => Shape.Check((IsGuestDevice(device), "device", DiskNames)),
            // Disks, snapshots and network cards count against quotas, which do not know of them yet.
            _ => new Invalid("change", $"This is not offered for VMs: {change.Words()}."),
        };

        private static bool IsGuestDevice(string device) => device is ['x', 'v', 'd', >= 'c' and <= 'p'] or ['v', 'd', >= 'c' and <= 'p'];

        // Whose share of a host is whose, and who gets its own disks, is not a tenant's to say.
        private Refusal? CheckStaff(DomainChange change, Actor actor) =>
            change is DomainChange.Pin or DomainChange.SetShare or DomainChange.AttachDevice or DomainChange.DetachVolume ? access.Check(actor, Permission.ManageHosts) : null;

        private async Task<Host?> FindHostAsync(Request request, CancellationToken ct)
        {
            await using var db = dbs.ForSystem();
            return await (from vm in db.Vms
                          join host in db.Hosts on vm.HostId equals host.Id
                          where vm.Id == request.Vm && vm.TenantId == request.Tenant
                          select host).AsNoTracking().SingleOrDefaultAsync(ct);
        }

        private static Refusal? Check(DomainChange change, Vm vm, Host host, IVmEngine engine) =>
            (CheckSize(change, vm, host) ?? CheckDisk(change, vm, engine.DiskNames)) is { } wrong ? wrong
            : (VmDesk.NotReady(vm) ?? CheckState(change, vm)) is { } not ? not
            : engine.Abilities.Contains(change.Needs) ? null
            : new NotOfferedHere(vm.Name, change.Words());

        private static Invalid? CheckDisk(DomainChange change, Vm vm, string names) =>
            change is DomainChange.AttachDevice { Device: var device } && !device.StartsWith(names, StringComparison.Ordinal)
            || change is DomainChange.DetachVolume(var other) && !other.StartsWith(names, StringComparison.Ordinal)
                ? new Invalid("device", $"{vm.Name} calls its disks {names}c to {names}p.")
                : null;

        // More than was ordered would be another price: that is another order.
        private static Refusal? CheckSize(DomainChange change, Vm vm, Host host) => change switch
        {
            DomainChange.SetMemory(var memory) => Shape.Check((memory <= vm.Memory, "memoryMiB", $"{vm.Name} was ordered with {vm.Memory}; it can use less, not more.")),
            DomainChange.SetVcpus(var vcpus) => Shape.Check((vcpus <= vm.Vcpus, "vcpus", $"{vm.Name} was ordered with {vm.Vcpus} vCPU; it can use fewer, not more.")),
            DomainChange.Pin(var vcpu, var cpus) => Shape.Check(
                (vcpu is null || vcpu < vm.Vcpus, "vcpu", $"{vm.Name} has vCPUs 0 to {vm.Vcpus - 1}."),
                (cpus.All(c => c < host.Cpus), "cpus", $"The host has processors 0 to {host.Cpus - 1}.")),
            DomainChange.AttachDevice(var path, _, _) => Shape.Check((host.Devices.Contains(path), "path", $"{path} is not among the devices that {host.Name} may give away. An operator names them in its settings.")),
            // libxl refuses a cap that the domain's own vCPUs could not reach.
            DomainChange.SetShare(_, var cap) => Shape.Check((cap <= 100 * vm.Vcpus, "cap", $"{vm.Name} has {vm.Vcpus} vCPU: a cap is 0 to {100 * vm.Vcpus} percent.")),
            _ => null,
        };

        private static NotNow? CheckState(DomainChange change, Vm vm) => change switch
        {
            DomainChange.Resume => vm.Seen == DomainState.Paused ? null : new NotNow(vm.Name, "is not paused."),
            _ when vm.Seen == DomainState.Running => null,
            _ => new NotNow(vm.Name, vm.Seen == DomainState.Paused ? "is paused: resume it." : "is not running."),
        };
    }
}
