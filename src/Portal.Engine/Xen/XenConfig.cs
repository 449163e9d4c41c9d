using System.Security.Cryptography;
using System.Text;
using Portal.Kernel;

namespace Portal.Engine.Xen;

/// <summary>Writes a domain's configuration in the words of xl.cfg(5). Every value comes from a type that cannot hold a quote; portal-host checks each line once more.</summary>
internal static class XenConfig
{
    private const string Mark = "# made by the portal, digest ";

    /// <param name="kernel">Where the kernel lies on the host; the RAM disk likewise.</param>
    public static string Write(DomainSpec spec, XenStorage storage, string kernel, string initrd)
    {
        var body = new StringBuilder()
            .Append(Invariant($"name = \"{spec.Name.Text}\"\n"))
            .Append(Invariant($"uuid = \"{spec.Name.Vm.Value:D}\"\n"))
            .Append("type = \"pv\"\n")
            .Append(Invariant($"kernel = \"{kernel}\"\n"))
            .Append(Invariant($"ramdisk = \"{initrd}\"\n"))
            .Append("cmdline = \"root=/dev/xvda console=hvc0\"\n")
            .Append(Invariant($"memory = {spec.Memory.CeilingMiB}\n"))
            .Append(Invariant($"maxmem = {spec.Memory.CeilingMiB}\n"))
            .Append(Invariant($"vcpus = {spec.Vcpus}\n"))
            .Append("on_poweroff = \"destroy\"\n")
            .Append("on_reboot = \"restart\"\n")
            .Append("on_crash = \"destroy\"\n")
            .Append(Invariant($"disk = [ 'phy:/dev/{storage.Group}/{spec.Name.Text},xvda,w', 'phy:/dev/{storage.Group}/{spec.Name.Text}-seed,xvdb,r' ]\n"))
            .Append(Invariant($"vif = [ 'mac={spec.Mac},bridge={storage.Bridge},ip={spec.Address.Address},vifname={CardOf(spec.Mac)}' ]\n"))
            .ToString();
        return $"{Mark}{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(body)))[..32]}\n{body}";
    }

    /// <summary>The digest that a configuration says it has; null where the portal did not write it.</summary>
    public static string? DigestOf(string config) => config.StartsWith(Mark, StringComparison.Ordinal) ? config[Mark.Length..].Split('\n')[0] : null;

    /// <summary>How the host calls a guest's network card: rules name it before it exists. An emulated one is this and "-emu", and the kernel takes 15 bytes.</summary>
    public static string CardOf(MacAddress mac) => Invariant($"pt-{mac.Value & 0xFFFF_FFFF:x8}");

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
