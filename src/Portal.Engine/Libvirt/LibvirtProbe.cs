using System.Globalization;
using Portal.Engine.Images;
using Portal.Engine.Pools;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Libvirt;

/// <summary>Finds out what a host is, and what keeps it from working.</summary>
internal sealed class LibvirtProbe(string instance, PoolLayout pool, IHostShell shell, Virsh virsh, Acceleration acceleration)
{
    private static readonly (string Program, string Package)[] s_programs =
    [
        ("virsh", "libvirt-clients"), ("qemu-system-x86_64", "qemu-system-x86"), ("qemu-img", "qemu-utils"), ("genisoimage", "genisoimage"),
        ("mke2fs", "e2fsprogs"), ("cpio", "cpio"), ("apt-get", "apt"), ("dpkg-deb", "dpkg"), ("flock", "util-linux"), ("mkswap", "util-linux"), ("fallocate", "util-linux"),
    ];

    public async Task<HostReport> RunAsync(CancellationToken ct)
    {
        List<HostFinding> findings = [.. Missing(), .. Paths()];
        var hypervisor = "unknown: libvirtd does not answer";
        var kvm = false;
        if (findings.All(finding => finding.Code != "host.program_missing"))
        {
            try
            {
                var (libvirt, qemu) = VirshAnswers.Versions(await virsh.AskAsync(VirshCommands.Version(), ct).ConfigureAwait(false));
                var decision = acceleration.Known(qemu ?? "");
                kvm = decision is { Kvm: true };
                hypervisor = $"QEMU {qemu} through libvirt {libvirt}, {Words(decision)}";
                findings.AddRange(Emulation(decision));
            }
            catch (HostFaultException gone)
            {
                findings.Add(new HostFinding(
                    "libvirt.unreachable", gone.Message, "Start libvirtd: `systemctl start libvirtd`, or `./portal up` where no service manager runs.", Blocks: true));
            }
        }

        var (size, free) = Room(findings);
        return new HostReport
        {
            Hypervisor = hypervisor,
            HardwareVirtualisation = kvm,
            Guests = GuestKinds.Hvm,
            Cpus = Environment.ProcessorCount,
            Memory = MemoryOfMachine(),
            BootId = (await File.ReadAllTextAsync("/proc/sys/kernel/random/boot_id", ct).ConfigureAwait(false)).Trim(),
            PoolSize = size,
            PoolFree = free,
            PoolTaken = await TakenAsync(ct).ConfigureAwait(false),
            Findings = findings,
        };
    }

    private static string Words(Acceleration.Decision? decision) => decision switch
    {
        null => "acceleration not tried yet",
        { Kvm: true } => "hardware virtualisation (KVM)",
        { Kvm: false } => "software emulation (TCG)",
    };

    private static IEnumerable<HostFinding> Emulation(Acceleration.Decision? decision)
    {
        if (decision is { Kvm: false })
        {
            yield return new HostFinding(
                "host.emulated",
                $"Guests are emulated in software and several times slower than the machine: {decision.Complaint}.",
                "Switch on virtualisation in the firmware, or nested virtualisation where this machine is itself a guest. Then remove acceleration.json from the pool.",
                Blocks: false);
        }
    }

    private static IEnumerable<HostFinding> Missing()
    {
        foreach (var (program, package) in s_programs)
        {
            if (Programs.Find(program) is null)
            {
                yield return new HostFinding("host.program_missing", $"The program {program} is not installed.", $"apt-get install {package}", Blocks: true);
            }
        }
    }

    private IEnumerable<HostFinding> Paths()
    {
        if (!pool.SocketsFit)
        {
            yield return new HostFinding(
                "pool.path_long", $"The pool's path {pool.Root} is too long for the consoles' sockets.", "Choose a path of at most 76 bytes.", Blocks: true);
        }

        if (Environment.UserName != "root")
        {
            yield return new HostFinding(
                "host.not_root",
                "The portal does not run as root, so it may not read the consoles of guests, whose files belong to libvirt's user.",
                "Run the portal as root.",
                Blocks: true);
        }

        for (var directory = Path.GetDirectoryName(pool.Root); directory is not null; directory = Path.GetDirectoryName(directory))
        {
            if (Directory.Exists(directory) && !File.GetUnixFileMode(directory).HasFlag(UnixFileMode.OtherExecute))
            {
                yield return new HostFinding(
                    "pool.closed",
                    $"QEMU runs as another user (libvirt-qemu) and cannot pass through {directory} to the pool {pool.Root}.",
                    $"chmod o+x {directory}, or choose another directory for the pool.",
                    Blocks: true);
            }
        }
    }

    private (ByteSize Size, ByteSize Free) Room(List<HostFinding> findings)
    {
        if (!Directory.Exists(pool.Root))
        {
            return (ByteSize.Zero, ByteSize.Zero);
        }

        var size = new ByteSize(new DriveInfo(pool.Root).TotalSize);
        var free = DiskFull.Free(pool);
        if (free < DiskFull.Floor(pool))
        {
            findings.Add(new HostFinding("pool.full", $"The pool has {free} left; new disks are refused below {DiskFull.Floor(pool)}.", "Free space in the pool's file system.", Blocks: true));
        }

        return (size, free);
    }

    // What is removed while it is counted makes du complain; what it counted stands.
    private async Task<ByteSize> TakenAsync(CancellationToken ct) =>
        Directory.Exists(pool.Disks) ? ImageCommands.Sum((await shell.RunAsync(ImageCommands.Taken(pool.Disks), ct).ConfigureAwait(false)).Output, instance) : ByteSize.Zero;

    // Not virsh nodeinfo: it tells the memory that was there when the machine booted, without what was plugged in since.
    private static ByteSize MemoryOfMachine()
    {
        var line = File.ReadLines("/proc/meminfo").First(line => line.StartsWith("MemTotal:", StringComparison.Ordinal));
        return new ByteSize(long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024);
    }
}
