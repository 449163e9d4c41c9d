using System.Net;

namespace Portal.Engine.Tests.Lab;

/// <summary>Linux's own NFS server, nfsd in the lab's dom0. What nfs-utils would tell it of exports is told by hand: /shared, and /own with a directory called by its address for each guest.</summary>
internal sealed class NfsServer(LabHost lab)
{
    // Two trees of Tiny Linux. Flags of an export: 8192 it has an id, 1024 subtrees are not checked; root is root.
    private const string Script = """
        set -e
        mkdir -p /srv/nfs/shared /srv/nfs/own
        lvchange -ay -K vgdisk/TEMPLATE
        mount -o ro,noload /dev/vgdisk/TEMPLATE /mnt
        cp -a /mnt/. /srv/nfs/TREE
        umount /mnt
        modprobe nfsd
        mountpoint -q /proc/fs/nfsd || mount -t nfsd nfsd /proc/fs/nfsd
        cd /proc/fs/nfsd
        if ! grep -q tcp portlist; then
            echo '-3 +4 +4.1 +4.2' >versions
            # Until then nobody may open a file who might have had it open before.
            echo 10 >nfsv4leasetime
            echo 10 >nfsv4gracetime
            echo 'tcp 2049' >portlist
            echo 2 >threads
        fi
        cd /proc/net/rpc
        until=$(($(date +%s) + 3600))
        echo "nfsd GUEST $until guests" >auth.unix.ip/channel
        echo "guests /srv/nfs $until 9216 65534 65534 0" >nfsd.export/channel
        printf '%s\n' "guests 1 \\x00000000 $until /srv/nfs" >nfsd.fh/channel
        """;

    /// <summary>On the host's bridge.</summary>
    public const string Address = "10.0.2.15";

    public static NfsRoot Shared { get; } = new(Address, "/shared", writable: false);

    public static NfsRoot Own { get; } = new(Address, "/own/%s", writable: true);

    /// <summary>A guest of the lab's bridge, with its root there.</summary>
    public static DomainSpec Guest(int number, NfsRoot root) => An.Spec(LabHost.Instance, number) with
    {
        Address = new GuestAddress(IPAddress.Parse($"10.0.2.{number}"), 24, IPAddress.Parse("10.0.2.2"), IPAddress.Parse("10.0.2.3")),
        Template = new TemplateImage("diskless", "1") { Nfs = root },
    };

    /// <summary>Serves a guest that has its root there; Tiny Linux's template is on the host.</summary>
    public Task ServeAsync(DomainSpec guest) => lab.AsRootAsync("sh -s", Script
        .Replace("TEMPLATE", $"t{LabHost.Instance}-{TemplateImage.TinyLinux.Name}-{TemplateImage.TinyLinux.Version}", StringComparison.Ordinal)
        .Replace("TREE", guest.Template.Nfs!.PathOf(guest.Address.Address).TrimStart('/'), StringComparison.Ordinal)
        .Replace("GUEST", guest.Address.Address.ToString(), StringComparison.Ordinal));

    public Task StopAsync() => lab.AsRootAsync("echo 0 >/proc/fs/nfsd/threads; rm -r /srv/nfs");
}
