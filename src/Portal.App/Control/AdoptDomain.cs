using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Catalogue;
using Portal.App.Fleet;
using Portal.App.Hosts;
using Portal.App.Networks;
using Portal.App.Operations;
using Portal.App.Ordering;
using Portal.App.Pricing;
using Portal.App.Quotas;
using Portal.App.Vms;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Control;

/// <summary>Something about a domain stands against adopting it.</summary>
public sealed record CannotAdopt(string Domain, string Why)
    : Refusal("control.cannot_adopt", $"{Domain} cannot be adopted. {Why}");

/// <summary>The domain runs, and nobody agreed to its being shut down.</summary>
public sealed record MustShutDown(string Domain)
    : Refusal("control.must_shut_down", $"{Domain} runs. It is shut down for this and started again: say that it may be.")
{
    public override string? Field => "mayShutDown";
}

/// <summary>The host has sold what this would take.</summary>
public sealed record NoRoomToAdopt(string Host, int Vcpus, ByteSize Memory)
    : Refusal("control.no_room_to_adopt", $"Host {Host} takes no new VM now, or has only {Vcpus} vCPU and {Memory} of memory left to sell. Lower what it keeps for itself, or take a smaller plan.");

/// <summary>Makes a domain that somebody made by hand into a VM of a tenant: with its disks, its kernel, its MAC and its address.</summary>
public static class AdoptDomain
{
    /// <param name="Domain">Its name on the host.</param>
    /// <param name="Name">The VM's.</param>
    /// <param name="Address">The one that its guest has; it is kept, and reserved from then on.</param>
    /// <param name="MayShutDown">Whether it may be shut down where it runs.</param>
    public sealed record Request(HostId Host, string Domain, TenantId Tenant, PlanId Plan, string Name, string Address, bool MayShutDown);

    public sealed record Asked(VmId Vm, OperationId Operation);

    /// <summary>What is done on the host, step by step, for people. Pure.</summary>
    public static IReadOnlyList<string> WordsOf(AdoptionOffer offer, bool runs) => offer.Domain is not { } domain
        ? []
        :
        [
            .. runs ? ["Its guest is asked to shut down, and waited for. Nothing is forced: a guest that goes on running stays as it is."] : Array.Empty<string>(),
            .. domain.Disks.Select(d => $"The volume {d.Volume} gets the VM's name, and the portal's tag. What is on it stays."),
            .. domain.Kernel is null ? [] : new[] { $"{domain.Kernel}{(domain.Ramdisk is null ? "" : $" and {domain.Ramdisk}")} {(domain.Ramdisk is null ? "is" : "are")} copied, for this VM alone." },
            $"Its configuration is written in the portal's form, with the plan's size. {domain.File} stays, and is of no use any more.",
            .. runs ? ["It is started again, under its new name."] : new[] { "It stays off." },
        ];

    public sealed class Handler(PortalDbs dbs, AccessRules access, IVmEngines engines, Doorbell doorbell)
    {
        /// <summary>Gives the VM and the operation that makes it of the domain. Not safe to repeat: the second time the name is taken.</summary>
        public async Task<Result<Asked>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (!VmName.TryParse(request.Name, out var name))
            {
                return new Invalid("name", "A name has 1 to 63 lower-case letters, digits and inner hyphens.");
            }

            if (!Ipv4Address.TryParse(request.Address, out var ip))
            {
                return new Invalid("address", "That is no IPv4 address. Type the one that the guest has.");
            }

            if (access.Check(actor, Permission.ManageHosts) is { } refusal)
            {
                return refusal;
            }

            var host = await dbs.FindHostAsync(request.Host, ct);
            if (host is null)
            {
                return new NotFound("host");
            }

            if (!(await FindAsync(host, request, ct)).TryGet(out var sighting, out var not))
            {
                return Result<Asked>.Of(not);
            }

            Asked asked;
            try
            {
                await using var db = dbs.ForSystem();
                await using var transaction = await db.Database.BeginTransactionAsync(ct);
                await db.LockTenantAsync(request.Tenant, ct);
                if (!(await MakeAsync(db, host, request, name, ip, sighting, actor, ct)).TryGet(out var made, out var no))
                {
                    return Result<Asked>.Of(no);
                }

                await db.SaveChangesAsync(ct);
                await db.AnnounceAsync(Topic.Of(request.Tenant), ct);
                await transaction.CommitAsync(ct);
                asked = made;
            }
            catch (DbUpdateException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } taken)
            {
                return taken.ConstraintName?.Contains("mac", StringComparison.Ordinal) == true
                    ? new CannotAdopt(request.Domain, "A VM of the portal has its MAC address. Give it another one.")
                    : new ChangedMeanwhile("name of the VM");
            }

            doorbell.Ring(asked.Operation);
            return asked;
        }

        private async Task<Result<ForeignSighting>> FindAsync(Host host, Request request, CancellationToken ct)
        {
            var engine = engines.For(host.Connection);
            if (!engine.SeesForeign)
            {
                return new ForeignNotSeen();
            }

            try
            {
                var sighting = (await engine.FindForeignAsync(ct)).FirstOrDefault(s => s.Name == request.Domain);
                return sighting switch
                {
                    null => new NotFound("domain"),
                    { Offer: null } => new ForeignNotSeen(),
                    { Offer.Obstacles: [var obstacle, ..] } => new CannotAdopt(request.Domain, obstacle),
                    { Offer.Permitted: false } => new AdoptionNotPermitted(request.Domain),
                    { State: not (DomainState.Off or DomainState.Running) } => new CannotAdopt(request.Domain, $"It is {sighting.State.ToString().ToLowerInvariant()}: let it run, or end it."),
                    { State: DomainState.Running } when !request.MayShutDown => new MustShutDown(request.Domain),
                    _ => sighting,
                };
            }
            catch (HostFaultException fault)
            {
                return new HostSilent(host.Name, fault.Message);
            }
        }

        // Inside the tenant's lock.
        private static async Task<Result<Asked>> MakeAsync(PortalDb db, Host host, Request request, VmName name, Ipv4Address ip, ForeignSighting sighting, Actor actor, CancellationToken ct)
        {
            var offer = sighting.Offer!;
            var tenant = await db.Tenants.AsNoTracking().SingleOrDefaultAsync(t => t.Id == request.Tenant, ct);
            if (tenant is null)
            {
                return new NotFound("tenant");
            }

            var plan = await db.Plans.AsNoTracking().SingleOrDefaultAsync(p => p.Id == request.Plan, ct);
            if (plan is null || plan.Vcpus < offer.Vcpus || plan.Memory < offer.Memory || plan.Disk < offer.Disk)
            {
                return new Invalid("plan", plan is null ? "There is no such plan." : $"{request.Domain} has {offer.Vcpus} vCPU, {offer.Memory} of memory and {offer.Disk} of disk, which is more than the plan {plan.Name}. Choose a larger plan.");
            }

            var now = await db.NowAsync(ct);
            if (await db.FindTariffAsync(tenant.Id, plan.Id, tenant.Currency, now, ct) is not { Smallest: var price })
            {
                return new NoPrice(plan.Name, tenant.Currency);
            }

            var project = await db.Projects.AsNoTracking().OrderBy(p => p.Id).FirstAsync(p => p.TenantId == tenant.Id, ct);
            if ((await OrderComposer.TakenNamesAsync(db, project.Id, ct)).Contains(name.Text))
            {
                return new NameTaken(name.Text);
            }

            var runs = sighting.State == DomainState.Running;
            var (vcpus, memory) = runs || !tenant.RunningOnly ? (plan.Vcpus, plan.Memory) : (0, ByteSize.Zero);
            var more = new Money((price.AllocatedPerHour + (runs ? price.RunningPerHour : 0)) * Price.HoursPerMonth, tenant.Currency);
            if (((await db.ReadQuotaAsync(tenant, ct)).Check(new QuotaAmount(1, vcpus, memory, offer.Disk)) ?? (await db.ReadSpendingAsync(tenant, ct)).CheckGrowth(more)) is { } beyond)
            {
                return Result<Asked>.Of(beyond);
            }

            if (await db.TakeStockAsync(new Dictionary<PlanId, int> { [plan.Id] = 1 }, ct) is { } none)
            {
                return Result<Asked>.Of(none);
            }

            var room = (await db.ReadHostRoomsAsync(null, tenant.Id, lockHosts: true, ct)).FirstOrDefault(r => r.Host.Id == host.Id);
            if (room is null || room.Vcpus < plan.Vcpus || room.Memory < plan.Memory)
            {
                return new NoRoomToAdopt(host.Name, room?.Vcpus ?? 0, room?.Memory ?? ByteSize.Zero);
            }

            // The host calls a guest's network card by the end of its MAC, and two cards cannot have one name.
            if (offer.Mac is { } kept && (await db.Vms.AsNoTracking().Where(v => v.HostId == host.Id && v.DeletedAt == null).Select(v => v.Mac).ToListAsync(ct)).Any(m => (uint)m.Value == (uint)kept.Value))
            {
                return new CannotAdopt(request.Domain, $"A VM on this host has a MAC address with the same end as {kept}. Give it another one.");
            }

            var id = VmId.New();
            if (await db.TakeAddressAsync(host.Id, ip, id, tenant.Id, ct) is not { } address)
            {
                return new Invalid("address", $"{ip} is not one of the addresses that this host's guests get, or another VM has it. Its guest's address is kept: change the host's range, or the guest's address, first.");
            }

            var mac = offer.Mac ?? MacAddress.OfSequence(await db.Database.SqlQuery<long>($"SELECT nextval('mac_numbers') AS \"Value\"").SingleAsync(ct));
            var vm = Vm.Adopting(
                new VmOrdered
                {
                    Id = id,
                    Tenant = tenant.Id,
                    Project = project.Id,
                    Name = name,
                    Line = default,
                    Plan = plan.Id,
                    PlanName = plan.Name,
                    TemplateVersion = null,
                    TemplateName = $"{request.Domain}, adopted",
                    Host = host.Id,
                    Pool = room.Pool,
                    Vcpus = plan.Vcpus,
                    Memory = plan.Memory,
                    Disk = offer.Disk,
                    Mac = mac,
                    Network = address.NetworkId,
                    Ip = address.Ip,
                    SshKeyLines = "",
                    CreatedBy = actor.Name,
                    At = now,
                    Currency = tenant.Currency,
                    RunningPerHour = price.RunningPerHour,
                    AllocatedPerHour = price.AllocatedPerHour,
                },
                offer.Domain!,
                runs);
            db.Add(vm);
            db.Add(new Volume(tenant.Id, id, room.Pool, offer.Disk));
            db.Add(AuditEntry.Of(actor, tenant.Id, "vm.adopted", id.Value, name.Text, $"it was {request.Domain}"));
            db.Add(AuditEntry.OfPlatform(actor, "host.domain_adopted", host.Id.Value, host.Name, $"{offer.Permit}, for {tenant.Name} as {name}"));
            var operation = db.Ask(vm, OperationKind.Adopt, actor, now);
            return new Asked(id, operation.Id);
        }
    }
}
