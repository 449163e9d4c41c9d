using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.App.Hosts;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Vms;

/// <summary>
/// One move of a VM to another host, made by one operation. What is on the host that is not the VM's, or not any more, stands in <see cref="LeftOnId"/>: from the
/// moment that it is asked for, so its room there is taken, until that host has nothing of it, whatever became of the operation.
/// </summary>
public sealed class VmMove
{
    private VmMove()
    {
    }

    /// <param name="generation">One that the VM has had nowhere.</param>
    /// <param name="runs">Whether it runs, and so shall run again.</param>
    /// <param name="mayForceOff">Whether its power may be taken away where its guest does not shut down.</param>
    public VmMove(OperationId operation, Vm vm, HostId to, PoolId toPool, int generation, bool runs, bool mayForceOff)
    {
        OperationId = operation;
        TenantId = vm.TenantId;
        VmId = vm.Id;
        (FromHostId, FromPoolId, FromGeneration) = (vm.HostId, vm.PoolId, vm.Generation);
        (ToHostId, ToPoolId, ToGeneration) = (to, toPool, generation);
        LeftOnId = to;
        Runs = runs;
        MayForceOff = mayForceOff;
    }

    public OperationId OperationId { get; private set; }

    public TenantId TenantId { get; private set; }

    public VmId VmId { get; private set; }

    public HostId FromHostId { get; private set; }

    public PoolId FromPoolId { get; private set; }

    public int FromGeneration { get; private set; }

    public HostId ToHostId { get; private set; }

    public PoolId ToPoolId { get; private set; }

    public int ToGeneration { get; private set; }

    public bool Runs { get; private set; }

    public bool MayForceOff { get; private set; }

    /// <summary>How much was compared and copied.</summary>
    public ByteSize Copied { get; private set; }

    /// <summary>How much there is to compare and copy; zero before that is known.</summary>
    public ByteSize Total { get; private set; }

    /// <summary>Where something of it may be that is not the VM's: on the host to which it goes until it is there, then on the one from which it came. Null where nothing is.</summary>
    public HostId? LeftOnId { get; private set; }

    /// <summary>What is left has the name of this generation.</summary>
    public int LeftGeneration => LeftOnId == ToHostId ? ToGeneration : FromGeneration;

    /// <summary>The VM is where it was to go; what is left is where it was.</summary>
    public void Arrived() => LeftOnId = FromHostId;

    /// <summary>Nothing is left anywhere.</summary>
    public void Cleared() => LeftOnId = null;

    public DomainName NameOn(Host host) => new(host.Instance, VmId, host.Id == ToHostId ? ToGeneration : FromGeneration);
}

internal sealed class VmMoveConfiguration : IEntityTypeConfiguration<VmMove>
{
    public void Configure(EntityTypeBuilder<VmMove> builder)
    {
        builder.ToTable("vm_moves", table =>
        {
            table.HasCheckConstraint("ck_vm_moves_hosts", "from_host_id <> to_host_id AND from_generation < to_generation");
            table.HasCheckConstraint("ck_vm_moves_left", "left_on_id IS NULL OR left_on_id IN (from_host_id, to_host_id)");
            table.HasCheckConstraint("ck_vm_moves_copied", "copied <= total");
        });
        builder.HasKey(m => m.OperationId);
        builder.Ignore(m => m.LeftGeneration);
        builder.Property<uint>("xmin").IsRowVersion();
        // A name that a domain or a disk of this VM had once is never given again.
        builder.HasIndex(m => new { m.VmId, m.ToGeneration }).IsUnique();
        builder.HasIndex(m => m.LeftOnId).HasFilter("left_on_id IS NOT NULL");
        builder.HasOne<Vm>().WithMany().HasForeignKey(m => m.VmId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<Host>().WithMany().HasForeignKey(m => m.FromHostId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<Host>().WithMany().HasForeignKey(m => m.ToHostId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<Host>().WithMany().HasForeignKey(m => m.LeftOnId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<Pool>().WithMany().HasForeignKey(m => m.FromPoolId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<Pool>().WithMany().HasForeignKey(m => m.ToPoolId).OnDelete(DeleteBehavior.Restrict);
    }
}
