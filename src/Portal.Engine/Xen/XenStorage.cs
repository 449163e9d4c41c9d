using Portal.Engine.Lvm;

namespace Portal.Engine.Xen;

/// <summary>Where a Xen host keeps what the portal makes on it.</summary>
internal sealed record XenStorage
{
    /// <param name="group">The volume group.</param>
    /// <param name="pool">The thin pool in it.</param>
    /// <param name="bridge">The bridge that guests are connected to.</param>
    /// <exception cref="ArgumentException">One of them is no name of its kind: they go into configurations and commands as they are.</exception>
    public XenStorage(string group, string pool, string bridge)
    {
        Group = LvmName.IsValid(group) ? group : throw new ArgumentException($"LVM has no volume group of the name '{group}'.", nameof(group));
        Pool = LvmName.IsValid(pool) ? pool : throw new ArgumentException($"LVM has no volume of the name '{pool}'.", nameof(pool));
        Bridge = HostNames.IsBridge(bridge) ? bridge : throw new ArgumentException($"There is no bridge of the name '{bridge}'.", nameof(bridge));
    }

    public string Group { get; }

    public string Pool { get; }

    public string Bridge { get; }
}
