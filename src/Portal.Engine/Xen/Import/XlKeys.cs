using System.Globalization;
using Portal.Kernel;

namespace Portal.Engine.Xen.Import;

/// <summary>What the keys of xl.cfg(5), and those that only xm had, mean for a domain.</summary>
internal sealed class XlKeys(ForeignDraft draft, KnownOnHost known)
{
    private const int MostVcpus = 4096;
    private const long MostMiB = 1L << 30;
    private const string OfXm = "xm put it on the kernel's command line; xl passes over it.";

    /// <summary>Takes one setting into the draft, or says why not.</summary>
    public void Take(ConfigSetting setting)
    {
        if (setting is { Key: "disk" or "vif", Value: ConfigList list })
        {
            foreach (var item in list.Items)
            {
                draft.Note(setting.Key, item.Line, item.Shown, HasControls(item) ?? (setting.Key == "disk" ? Disk(item) : Vif(item)));
            }

            return;
        }

        draft.Note(setting.Key, setting.Line, setting.Value.Shown, HasControls(setting.Value) ?? Meaning(setting.Key, setting.Value));
    }

    private Reading Meaning(string key, ConfigValue value) => key switch
    {
        "name" => Text(value, text => draft.Name = text, "The domain's name."),
        "uuid" => Uuid(value),
        "type" or "builder" => Type(key, value),
        "kernel" => Text(value, text => draft.Kernel = text, "The kernel, a file of the host."),
        "ramdisk" => Text(value, text => draft.Ramdisk = text, "The RAM disk that the kernel starts with, a file of the host."),
        "bootloader" => Text(value, text => draft.Bootloader = text, "The program of the host that takes the kernel from the guest's disk."),
        "memory" => Number(value, 1, MostMiB, number => draft.Memory = ByteSize.FromMiB(number), number => $"The domain has {ByteSize.FromMiB(number)} of memory."),
        "maxmem" => Number(value, 1, MostMiB, number => draft.MaxMemory = ByteSize.FromMiB(number), number => $"Its memory may grow to {ByteSize.FromMiB(number)}."),
        "vcpus" => Number(value, 1, MostVcpus, number => draft.Vcpus = (int)number, number => $"It has {Count(number, "virtual processor")}."),
        "maxvcpus" => Number(value, 1, MostVcpus, number => draft.MaxVcpus = (int)number, number => $"It may have up to {Count(number, "virtual processor")}."),
        "cpu_weight" => Number(value, 1, 65535, number => draft.CpuWeight = (int)number, number => $"Its share of busy processors is {number}, where others have 256."),
        "cap" => Number(value, 0, MostVcpus * 100, number => draft.CpuCap = number == 0 ? Limit.None : Limit.Of(number), CpuWords.MeaningOfCap),
        "cpus" or "cpu" => Cpus(value),
        "nics" => Number(value, 0, 64, number => draft.LeastVifs = (int)number, number => $"It has at least {Count(number, "network interface")}: xm added those that are missing, xl does not."),
        "on_poweroff" => Action(value, action => draft.OnPowerOff = action, "When it has shut down"),
        "on_reboot" => Action(value, action => draft.OnReboot = action, "When its guest restarts"),
        "on_crash" => Action(value, action => draft.OnCrash = action, "When it has crashed"),
        "restart" => Restart(value),
        "cmdline" => Text(value, text => draft.Arguments.Whole = text, "The kernel's command line."),
        "root" => Text(value, text => draft.Arguments.Root = text, "Where the kernel finds the root file system."),
        "extra" => Extra(value),
        "ip" => Text(value, text => draft.Arguments.Ip = text, $"The guest's address. {OfXm}"),
        "gateway" => Text(value, text => draft.Arguments.Gateway = text, $"The guest's gateway. {OfXm}"),
        "netmask" => Text(value, text => draft.Arguments.Netmask = text, $"The guest's netmask. {OfXm}"),
        "hostname" => Text(value, text => draft.Arguments.HostName = text, $"The guest's name. {OfXm}"),
        "interface" => Text(value, text => draft.Arguments.Interface = text, $"The guest's network interface. {OfXm}"),
        "dhcp" => Text(value, text => draft.Arguments.Dhcp = text, $"Whether the guest asks for its address. {OfXm}"),
        "nfs_server" => Text(value, text => draft.Arguments.NfsServer = text, $"The server of the root file system. {OfXm}"),
        "nfs_root" => Text(value, text => draft.Arguments.NfsRoot = text, $"Where on the server the root file system is. {OfXm}"),
        "disk" or "vif" => Reading.Not("This has to be a list, in brackets."),
        _ when IgnoredKeys.Harmless.TryGetValue(key, out var why) => Reading.Means(why),
        _ when IgnoredKeys.Lost.TryGetValue(key, out var why) => Reading.Not(why),
        _ => Reading.Not("Neither xl nor xm has this key, or it is not known here."),
    };

    private Reading Disk(ConfigValue item)
    {
        var reading = DiskWords.Read(item.Shown, known, out var disk);
        draft.Disks.AddRange(disk is null ? [] : [disk]);
        return reading;
    }

    private Reading Vif(ConfigValue item)
    {
        var reading = VifWords.Read(item.Shown, out var vif);
        draft.Vifs.AddRange(vif is null ? [] : [vif]);
        return reading;
    }

    private Reading Cpus(ConfigValue value)
    {
        var reading = CpuWords.Read(value, out var pins);
        draft.Pins = pins;
        return reading;
    }

    private Reading Uuid(ConfigValue value)
    {
        if (value is not ConfigText text || !(Guid.TryParseExact(text.Text, "D", out var uuid) || Guid.TryParseExact(text.Text, "N", out uuid)))
        {
            return Reading.Not("That is no UUID.");
        }

        draft.Uuid = uuid;
        return Reading.Means("The number by which the domain is known for life.");
    }

    // builder is what xm and old releases of xl say; linux, netbsd and the like were xm's names of what is paravirtualised.
    private Reading Type(string key, ConfigValue value)
    {
        ForeignDomainType? type = (key, value.Shown) switch
        {
            ("type", "pv") or ("builder", "generic" or "linux") => ForeignDomainType.Pv,
            ("type", "pvh") => ForeignDomainType.Pvh,
            (_, "hvm") => ForeignDomainType.Hvm,
            _ => null,
        };
        if (type is null)
        {
            return Reading.Not("Xen has no such type of domain, or it is not known here.");
        }

        if (draft.Type is { } before && before != type)
        {
            return Reading.Not("type and builder contradict each other.");
        }

        draft.Type = type;
        return Reading.Means(type switch
        {
            ForeignDomainType.Pv => "It is paravirtualised (PV).",
            ForeignDomainType.Pvh => "It is paravirtualised with the processor's help (PVH).",
            _ => "It is a whole virtual PC (HVM).",
        });
    }

    // A number is a run level for init.
    private Reading Extra(ConfigValue value)
    {
        if (value is not ConfigNumber number)
        {
            return Text(value, text => draft.Arguments.Extra = text, "More for the kernel's command line.");
        }

        draft.Arguments.Extra = number.Shown;
        return Reading.Means($"The guest starts in run level {number.Shown}.");
    }

    // xm's older word for the three on_ keys, which win over it (tools/python/xen/xend/XendDomainInfo.py, parseConfig, of Xen 3.0).
    private Reading Restart(ConfigValue value)
    {
        (ShutdownAction PowerOff, ShutdownAction Reboot, ShutdownAction Crash, string Words)? actions = value.Shown switch
        {
            "onreboot" => (ShutdownAction.Destroy, ShutdownAction.Restart, ShutdownAction.Destroy, "It is started again when its guest restarts, and only then."),
            "always" => (ShutdownAction.Restart, ShutdownAction.Restart, ShutdownAction.Restart, "It is started again whenever it has ended."),
            "never" => (ShutdownAction.Destroy, ShutdownAction.Destroy, ShutdownAction.Destroy, "It is not started again when it has ended."),
            _ => null,
        };
        if (actions is not { } found)
        {
            return Reading.Not("restart is onreboot, always or never.");
        }

        draft.OnPowerOff ??= found.PowerOff;
        draft.OnReboot ??= found.Reboot;
        draft.OnCrash ??= found.Crash;
        return Reading.Means(found.Words);
    }

    private static Reading Action(ConfigValue value, Action<ShutdownAction> keep, string when)
    {
        if (ActionWords.Parse(value.Shown) is not { } action)
        {
            return Reading.Not("Xen has no such word for what happens then.");
        }

        keep(action);
        return Reading.Means(ActionWords.Meaning(when, action));
    }

    private static Reading Text(ConfigValue value, Action<string> keep, string meaning)
    {
        if (value is not ConfigText text)
        {
            return Reading.Not("This has to be a text, in quotes.");
        }

        if (text.Text.Length > 0)
        {
            keep(text.Text);
        }

        return Reading.Means(text.Text.Length > 0 ? meaning : "It is empty, which is as if it were not there.");
    }

    // xl takes a number in quotes, too.
    private static Reading Number(ConfigValue value, long least, long most, Action<long> keep, Func<long, string> meaning)
    {
        var number = value is ConfigNumber given ? given.Number
            : value is ConfigText text && long.TryParse(text.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var quoted) ? quoted
            : (long?)null;
        if (number is not { } n || n < least || n > most)
        {
            return Reading.Not(string.Create(CultureInfo.InvariantCulture, $"This has to be a whole number from {least} to {most}."));
        }

        keep(n);
        return Reading.Means(meaning(n));
    }

    private static string Count(long number, string what) => string.Create(CultureInfo.InvariantCulture, $"{number} {what}{(number == 1 ? "" : "s")}");

    private static Reading? HasControls(ConfigValue value) => value.Shown.Any(char.IsControl) ? Reading.Not("It has a line break or another control character in it.") : null;
}
