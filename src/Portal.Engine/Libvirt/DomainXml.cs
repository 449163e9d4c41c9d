using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using Portal.Engine.Pools;

namespace Portal.Engine.Libvirt;

/// <summary>Writes a domain in libvirt's XML (https://libvirt.org/formatdomain.html), and knows its own again.</summary>
internal static class DomainXml
{
    private const int Bridge = 5;
    private const string BridgeModel = "pcie-to-pci-bridge";

    private static readonly XNamespace s_ours = "urn:portal:vm:1";

    /// <summary>What a spec becomes on a host whose guests run with KVM or without.</summary>
    public static string Write(DomainSpec spec, PoolLayout pool, bool kvm)
    {
        var domain = Bare(
            spec.Name.Text,
            kvm,
            spec.Vcpus,
            spec.Memory.Bytes,
            spec.Template.Boot == ImageBoot.Disk ? null : pool.TemplateKernel(spec.Template),
            pool.TemplateInitrd(spec.Template),
            // After a panic the guest starts anew; its last words are in the console's log. An emulated processor's time stamps are the host's and
            // right; on a busy host the guest's watchdog takes them for wrong and falls back to a clock that costs much to emulate.
            // The root disk is for initial RAM disks that others made; ours look for themselves.
            kvm ? "root=/dev/vda console=ttyS0 panic=10" : "root=/dev/vda console=ttyS0 panic=10 tsc=reliable");
        domain.Element("name")!.AddAfterSelf(
            new XElement("uuid", UuidOf(spec.Name)),
            new XElement("title", spec.HostName.Text));
        domain.Element("devices")!.Add(
            // A port for each of the card and the disks, as libvirt lays them out by itself; one more for the bridge, which has the places of disks that come later. A port
            // for each of those would cost an emulated guest a quarter of a second at its boot.
            new XElement("controller", new XAttribute("type", "pci"), new XAttribute("index", 0), new XAttribute("model", "pcie-root")),
            Enumerable.Range(1, Bridge - 1).Select(port => new XElement("controller", new XAttribute("type", "pci"), new XAttribute("index", port), new XAttribute("model", "pcie-root-port"))),
            PlacesOfDisks(Bridge).With(new XElement("address", new XAttribute("type", "pci"), new XAttribute("bus", Bridge - 1), new XAttribute("slot", 0))),
            Balloon(),
            Disk("qcow2", pool.Disk(spec.Name), "vda", new XAttribute("discard", "unmap")),
            // The seed is a plain read-only disk: cloud-init and Tiny Linux look for the label, and a CD-ROM drive would need a driver more.
            Disk("raw", pool.Seed(spec.Name), "vdb").With(new XElement("readonly")),
            new XElement(
                "interface",
                new XAttribute("type", "user"),
                new XElement("mac", new XAttribute("address", spec.Mac.ToString())),
                new XElement(
                    "ip",
                    new XAttribute("family", "ipv4"),
                    new XAttribute("address", UserNetwork.NetworkOf(spec.Address).ToString()),
                    new XAttribute("prefix", spec.Address.PrefixLength)),
                new XElement("model", new XAttribute("type", "virtio")),
                // No boot from the network: its firmware would cost half a second.
                new XElement("rom", new XAttribute("enabled", "no"))),
            Serial(
                new XAttribute("type", "unix"),
                new XElement("source", new XAttribute("mode", "bind"), new XAttribute("path", pool.ConsoleSocket(spec.Name))),
                // Every byte from the first on, whether somebody looks or not. Appending lets the file be shortened under QEMU.
                new XElement("log", new XAttribute("file", pool.ConsoleLog(spec.Name)), new XAttribute("append", "on"))));

        var body = domain.ToString();
        domain.Element("title")!.AddAfterSelf(new XElement(
            "metadata",
            new XElement(
                s_ours + "vm",
                new XAttribute(XNamespace.Xmlns + "portal", s_ours.NamespaceName),
                new XAttribute("instance", spec.Name.Instance),
                new XAttribute("id", spec.Name.Vm.Value.ToString("D")),
                new XAttribute("generation", spec.Name.Generation),
                new XAttribute("digest", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(body)))))));
        return domain.ToString();
    }

    /// <summary>A guest without disks or network, whose console goes to a file: enough to see a kernel speak.</summary>
    public static string WriteTrial(string name, bool kvm, string kernel, string logPath)
    {
        var domain = Bare(name, kvm, 1, 128L << 20, kernel, null, "console=ttyS0 panic=-1");
        domain.Element("devices")!.Add(NoBalloon(), Serial(
            new XAttribute("type", "file"),
            new XElement("source", new XAttribute("path", logPath))));
        return domain.ToString();
    }

    /// <summary>The mark that <see cref="Write"/> leaves, out of what libvirt gives back; null where there is none, so another's domain.</summary>
    /// <exception cref="HostFaultException">It is not XML.</exception>
    public static string? DigestOf(string xml)
    {
        try
        {
            return XDocument.Parse(xml).Root?.Element("metadata")?.Element(s_ours + "vm")?.Attribute("digest")?.Value;
        }
        catch (XmlException broken)
        {
            throw new HostFaultException($"libvirt describes a domain in what is not XML: {broken.Message}", broken);
        }
    }

    /// <summary>What a domain that an earlier portal defined lacks for the changes of this one, added to what libvirt has of it; null where it lacks nothing.</summary>
    public static string? Upgraded(string xml)
    {
        var domain = XDocument.Parse(xml).Root!;
        var devices = domain.Element("devices")!;
        var lacksBalloon = !HasBalloon(xml);
        var lacksBridge = BridgeOf(xml) is null;
        if (lacksBalloon)
        {
            devices.Elements("memballoon").Remove();
            devices.Add(Balloon());
        }

        if (lacksBridge)
        {
            // Without an address: libvirt has kept a port free.
            devices.Add(PlacesOfDisks(devices.Elements("controller").Where(IsPci).Max(c => (int)c.Attribute("index")!) + 1));
        }

        return lacksBalloon || lacksBridge ? domain.ToString() : null;
    }

    /// <summary>Whether a domain, as libvirt describes it, can have its guest give memory back.</summary>
    public static bool HasBalloon(string xml) => XDocument.Parse(xml).Root!.Element("devices")!.Element("memballoon")?.Attribute("model")?.Value == "virtio";

    /// <summary>The bus on which a domain, as libvirt describes it, has places for disks that come later; null where it has none.</summary>
    public static int? BridgeOf(string xml) => (int?)XDocument.Parse(xml).Root!.Element("devices")!.Elements("controller").FirstOrDefault(c => IsPci(c) && c.Attribute("model")?.Value == BridgeModel)?.Attribute("index");

    /// <summary>A volume beside the root disk, as it is given to a running guest: each name has a place of its own on the bridge.</summary>
    public static string Volume(string path, DomainChange.AttachVolume volume, int bridge) => Disk("raw", path, volume.Device, new XAttribute("discard", "unmap"))
        // What a guest calls its disks is its own affair, in the order in which they come; by this it can tell them apart.
        .With(new XElement("serial", volume.Label.Text))
        .With(volume.ReadOnly ? new XElement("readonly") : null)
        .With(new XElement("address", new XAttribute("type", "pci"), new XAttribute("bus", bridge), new XAttribute("slot", volume.Device[^1] - 'b')))
        .ToString();

    /// <summary>The disks of a domain, as libvirt describes it.</summary>
    public static IReadOnlyList<AttachedDisk> DisksOf(string xml) =>
        [.. XDocument.Parse(xml).Root!.Element("devices")!.Elements("disk").Select(d => new AttachedDisk(d.Element("target")!.Attribute("dev")!.Value, d.Element("source")?.Attribute("file")?.Value, d.Element("readonly") is not null))];

    private static bool IsPci(XElement controller) => controller.Attribute("type")?.Value == "pci";

    private static XElement PlacesOfDisks(int index) => new("controller", new XAttribute("type", "pci"), new XAttribute("index", index), new XAttribute("model", BridgeModel));

    // On the root bus, where it takes none of the ports: the card's and the disks' stay what guests know them by.
    private static XElement Balloon() => new(
        "memballoon", new XAttribute("model", "virtio"), new XElement("address", new XAttribute("type", "pci"), new XAttribute("bus", 0), new XAttribute("slot", 8)));

    private static XElement NoBalloon() => new("memballoon", new XAttribute("model", "none"));

    private static XElement Bare(string name, bool kvm, int vcpus, long memoryBytes, string? kernel, string? initrd, string commandLine) => new(
        "domain",
        new XAttribute("type", kvm ? "kvm" : "qemu"),
        new XElement("name", name),
        new XElement("memory", new XAttribute("unit", "b"), memoryBytes),
        new XElement("vcpu", vcpus),
        new XElement(
            "os",
            // q35, not pc: its devices interrupt by message, and loading their drivers takes an emulated processor 0.8 s less.
            new XElement("type", new XAttribute("arch", "x86_64"), new XAttribute("machine", "q35"), "hvm"),
            // Without a kernel the firmware starts the first disk.
            kernel is null
                ? (object)new XElement("boot", new XAttribute("dev", "hd"))
                : new[] { new XElement("kernel", kernel), initrd is null ? null : new XElement("initrd", initrd), new XElement("cmdline", commandLine) }),
        new XElement("features", new XElement("acpi"), new XElement("apic")),
        // Emulated: the oldest processor that all of today's distributions run on (x86-64-v2); newer ones cost more to emulate.
        kvm
            ? new XElement("cpu", new XAttribute("mode", "host-passthrough"), new XAttribute("check", "none"))
            : new XElement("cpu", new XAttribute("mode", "custom"), new XAttribute("match", "exact"), new XElement("model", "Nehalem")),
        new XElement("clock", new XAttribute("offset", "utc")),
        new XElement("on_poweroff", "destroy"),
        new XElement("on_reboot", "restart"),
        new XElement("on_crash", "destroy"),
        new XElement(
            "devices",
            new XElement("emulator", "/usr/bin/qemu-system-x86_64"),
            new XElement("controller", new XAttribute("type", "usb"), new XAttribute("model", "none"))));

    private static XElement Disk(string format, string path, string target, params XAttribute[] options) => new(
        "disk",
        new XAttribute("type", "file"),
        new XAttribute("device", "disk"),
        // The format is always given: a guest could write any header to a disk whose format is probed.
        new XElement("driver", new XAttribute("name", "qemu"), new XAttribute("type", format), options),
        new XElement("source", new XAttribute("file", path)),
        new XElement("target", new XAttribute("dev", target), new XAttribute("bus", "virtio")));

    private static XElement Serial(params object[] parts) =>
        new("serial", [.. parts, new XElement("target", new XAttribute("type", "isa-serial"), new XAttribute("port", "0"))]);

    private static XElement With(this XElement element, XElement? part)
    {
        element.Add(part);
        return element;
    }

    // Always the same for a name, or defining it again would be refused; the name has the generation, so a successor has another.
    private static string UuidOf(DomainName name)
    {
        var bytes = SHA256.HashData(Encoding.ASCII.GetBytes(name.Text))[..16];
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true).ToString("D", CultureInfo.InvariantCulture);
    }
}
