namespace Portal.App.Control;

/// <summary>A key of a Linux kernel's emergency keyboard.</summary>
/// <param name="Words">What it does, for people.</param>
/// <param name="Harms">Work in the guest is lost or stopped by it.</param>
public sealed record SysRqKey(char Key, string Words, bool Harms);

/// <summary>The keys of the emergency keyboard that are offered, in the order of harm. What the others do, the portal does better (o: power off) or nobody needs over a serial line.</summary>
public static class SysRq
{
    // https://docs.kernel.org/admin-guide/sysrq.html
    public static IReadOnlyList<SysRqKey> Keys { get; } =
    [
        new('s', "Write all unwritten data to the disks", Harms: false),
        new('m', "Print how memory is used, on the console", Harms: false),
        new('t', "Print all tasks, on the console", Harms: false),
        new('w', "Print the tasks that are blocked, on the console", Harms: false),
        new('r', "Take the keyboard back from a program that holds it", Harms: false),
        new('f', "Kill the process that takes the most memory", Harms: true),
        new('u', "Make all disks read only", Harms: true),
        new('e', "Ask all processes but init to end", Harms: true),
        new('i', "Kill all processes but init", Harms: true),
        new('b', "Reboot at once, without writing anything to the disks", Harms: true),
    ];

    /// <summary>Null for a key that is not offered.</summary>
    public static SysRqKey? Find(char key) => Keys.FirstOrDefault(k => k.Key == key);
}
