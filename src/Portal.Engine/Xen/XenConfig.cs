using System.Security.Cryptography;
using System.Text;
using Portal.Engine.Remote;
using Portal.Kernel;

namespace Portal.Engine.Xen;

/// <summary>Writes a domain's configuration in the words of xl.cfg(5). Every value comes from a type that cannot hold a quote; portal-host checks each line once more.</summary>
internal static class XenConfig
{
    private const string Mark = "# made by the portal, digest ";

    /// <param name="kernel">Where the kernel lies on the host; the RAM disk likewise.</param>
    public static string Write(DomainSpec spec, XenStorage storage, string kernel, string initrd, KernelGuests guests = KernelGuests.Pv)
    {
        var nfs = spec.Template.Nfs;
        var body = new StringBuilder()
            .Append(Invariant($"name = \"{spec.Name.Text}\"\n"))
            .Append(Invariant($"uuid = \"{spec.Name.Vm.Value:D}\"\n"))
            .Append(guests == KernelGuests.Pvh ? "type = \"pvh\"\n" : "type = \"pv\"\n")
            .Append(Invariant($"kernel = \"{kernel}\"\n"))
            .Append(Invariant($"ramdisk = \"{initrd}\"\n"))
            .Append(Invariant($"cmdline = \"{(nfs is null ? "root=/dev/xvda" : nfs.CommandLine(spec))} console=hvc0\"\n"))
            .Append(Invariant($"memory = {spec.Memory.CeilingMiB}\n"))
            .Append(Invariant($"maxmem = {spec.Memory.CeilingMiB}\n"))
            .Append(Invariant($"vcpus = {spec.Vcpus}\n"))
            .Append("on_poweroff = \"destroy\"\n")
            .Append("on_reboot = \"restart\"\n")
            .Append("on_crash = \"destroy\"\n")
            .Append(Invariant($"disk = [ {(nfs is null ? $"'{storage.DiskOf(spec.Name.Text, "xvda", readOnly: false)}', " : "")}'{storage.DiskOf(spec.Name.Text + XenVolumes.Seed, "xvdb", readOnly: true)}' ]\n"))
            .Append(Invariant($"vif = [ 'mac={spec.Mac},bridge={storage.Bridge},ip={spec.Address.Address},vifname={CardOf(spec.Mac)}' ]\n"))
            .ToString();
        return Marked(body);
    }

    /// <summary>
    /// The same for a guest that starts from its own disk: a whole PC with the BIOS that such images are made for, no screen, and its console on the first serial line. Its disk is a PC's first
    /// one until the guest's own drivers take it over as xvda. The seed is its CD-ROM: Xen emulates no other disk that is read only.
    /// </summary>
    public static string WritePc(DomainSpec spec, XenStorage storage)
    {
        var body = new StringBuilder()
            .Append(Invariant($"name = \"{spec.Name.Text}\"\n"))
            .Append(Invariant($"uuid = \"{spec.Name.Vm.Value:D}\"\n"))
            .Append("type = \"hvm\"\n")
            .Append("bios = \"seabios\"\n")
            .Append("boot = \"c\"\n")
            // Without the first line there is no screen, without the second nobody listens for one.
            .Append("vga = \"none\"\n")
            .Append("vnc = 0\n")
            .Append(SerialLine(spec.Name))
            .Append(Invariant($"memory = {spec.Memory.CeilingMiB}\n"))
            .Append(Invariant($"maxmem = {spec.Memory.CeilingMiB}\n"))
            .Append(Invariant($"vcpus = {spec.Vcpus}\n"))
            .Append("on_poweroff = \"destroy\"\n")
            .Append("on_reboot = \"restart\"\n")
            .Append("on_crash = \"destroy\"\n")
            .Append(Invariant($"disk = [ '{storage.DiskOf(spec.Name.Text, "xvda", readOnly: false)}', '{storage.DriveOf(spec.Name.Text + XenVolumes.Seed)}' ]\n"))
            .Append(Invariant($"vif = [ 'mac={spec.Mac},bridge={storage.Bridge},ip={spec.Address.Address},vifname={CardOf(spec.Mac)}' ]\n"))
            .ToString();
        return Marked(body);
    }

    /// <summary>The same for a domain that was adopted: it keeps its kernel, what that is told and its disks, and has the plan's size and the VM's name.</summary>
    /// <param name="image">Where its kernel lies on the host, without what comes behind the dot.</param>
    public static string Write(DomainSpec spec, AdoptedDomain adopted, XenStorage storage, string image)
    {
        var body = new StringBuilder()
            .Append(Invariant($"name = \"{spec.Name.Text}\"\n"))
            .Append(Invariant($"uuid = \"{spec.Name.Vm.Value:D}\"\n"))
            .Append(Invariant($"type = \"{adopted.Type.ToString().ToLowerInvariant()}\"\n"));
        if (adopted.Kernel is not null)
        {
            body.Append(Invariant($"kernel = \"{image}.kernel\"\n"));
        }

        if (adopted.Ramdisk is not null)
        {
            body.Append(Invariant($"ramdisk = \"{image}.initrd\"\n"));
        }

        if (adopted.CommandLine is { } words)
        {
            body.Append(Invariant($"cmdline = \"{words}\"\n"));
        }

        if (adopted.Type == ForeignDomainType.Hvm)
        {
            body.Append(SerialLine(spec.Name)).Append("boot = \"c\"\n");
        }

        var disks = adopted.Disks.Select((disk, i) => $"'{storage.DiskOf(AdoptedDomain.VolumeOf(spec.Name, i), disk.GuestDevice, disk.ReadOnly)}'");
        return Marked(body
            .Append(Invariant($"memory = {spec.Memory.CeilingMiB}\n"))
            .Append(Invariant($"maxmem = {spec.Memory.CeilingMiB}\n"))
            .Append(Invariant($"vcpus = {spec.Vcpus}\n"))
            .Append("on_poweroff = \"destroy\"\n")
            .Append("on_reboot = \"restart\"\n")
            .Append("on_crash = \"destroy\"\n")
            .Append(Invariant($"disk = [ {string.Join(", ", disks)} ]\n"))
            .Append(Invariant($"vif = [ 'mac={spec.Mac},bridge={storage.Bridge},ip={spec.Address.Address},vifname={CardOf(spec.Mac)}' ]\n"))
            .ToString());
    }

    /// <summary>The digest that a configuration says it has; null where the portal did not write it.</summary>
    public static string? DigestOf(string config) => config.StartsWith(Mark, StringComparison.Ordinal) ? config[Mark.Length..].Split('\n')[0] : null;

    /// <summary>How the host calls a guest's network card: rules name it before it exists. An emulated one is this and "-emu", and the kernel takes 15 bytes.</summary>
    public static string CardOf(MacAddress mac) => Invariant($"pt-{mac.Value & 0xFFFF_FFFF:x8}");

    // In the words of QEMU's -serial, which xl hands on. A pseudo terminal, as xl's manual has it, keeps nothing of what was printed before somebody looked; xenconsoled sees nothing of this line.
    private static string SerialLine(DomainName name) =>
        Invariant($"serial = \"unix:{PortalHostCommands.Files}/serial/{name.Text},server=on,wait=off,logfile={PortalHostCommands.SerialLog(name.Text)},logappend=on\"\n");

    private static string Marked(string body) => $"{Mark}{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(body)))[..32]}\n{body}";

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
