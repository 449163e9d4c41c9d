namespace Portal.Engine.Xen.Import;

/// <summary>Keys of xl and xm that say nothing an adopted domain is made of.</summary>
internal static class IgnoredKeys
{
    private const string Screen = "It is about a graphical screen; the portal shows the serial console.";
    private const string Machine = "It tunes the machine that the guest sees; the portal leaves that to Xen.";

    /// <summary>Known, and without loss left aside; the value says why.</summary>
    public static IReadOnlyDictionary<string, string> Harmless { get; } = Table(
        (Screen, ["vnc", "vnclisten", "vncdisplay", "vncunused", "vncpasswd", "vncconsole", "vncviewer", "vfb", "sdl", "opengl", "nographic", "stdvga", "vga", "videoram", "keymap", "spice", "spiceport", "spicehost", "display", "xauthority"]),
        (Machine, ["acpi", "apic", "pae", "hap", "hpet", "nx", "viridian", "tsc_mode", "timer_mode", "localtime", "rtc_timeoffset", "xen_platform_pci", "device_model", "device_model_version", "shadow_memory", "nestedhvm", "cpuid", "boot"]),
        ("The portal connects the console by itself.", ["serial", "console", "vuart"]),
        ("It only prefers some of the host's processors.", ["cpus_soft"]),
        ("The portal decides by itself whether a domain moves.", ["nomigrate"]),
        ("The portal does not use it.", ["on_watchdog", "on_soft_reset", "pool", "seclabel", "init_seclabel"]));

    /// <summary>Known, but what it gives to a guest the portal cannot give.</summary>
    public static IReadOnlyDictionary<string, string> Lost { get; } = Table(
        ("The guest has devices of the host to itself; the portal has no such thing.", ["pci", "usb", "usbdev", "usbctrl", "usbdevice", "dtdev", "gfx_passthru", "ioports", "iomem", "irqs", "rdm"]),
        ("The guest has a device that the portal has not.", ["vtpm", "p9", "vdispl", "vsnd", "vkb", "pvcalls", "channel", "virtio", "vif2"]),
        ("The domain serves others; the portal's guests do not.", ["driver_domain", "blkif", "netif", "tpmif"]),
        ("The boot loader is given words of its own; the portal starts it without.", ["bootargs", "bootloader_args"]));

    private static Dictionary<string, string> Table(params (string Why, string[] Keys)[] rows) =>
        rows.SelectMany(row => row.Keys.Select(key => (key, row.Why))).ToDictionary(pair => pair.key, pair => pair.Why, StringComparer.Ordinal);
}
