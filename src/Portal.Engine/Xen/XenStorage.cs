using Portal.Engine.Lvm;

namespace Portal.Engine.Xen;

/// <summary>Where a Xen host keeps what the portal makes on it.</summary>
internal sealed record XenStorage
{
    /// <param name="group">The volume group.</param>
    /// <param name="pool">The thin pool in it; null where volumes take their blocks from the group itself.</param>
    /// <param name="bridge">The bridge that guests are connected to.</param>
    /// <param name="swapGroup">Another volume group, for swap volumes; null where they are made with the others.</param>
    /// <exception cref="ArgumentException">One of them is no name of its kind: they go into configurations and commands as they are.</exception>
    public XenStorage(string group, string? pool, string bridge, string? swapGroup = null)
    {
        Group = LvmName.IsValid(group) ? group : throw new ArgumentException($"LVM has no volume group of the name '{group}'.", nameof(group));
        Pool = pool is null || LvmName.IsValid(pool) ? pool : throw new ArgumentException($"LVM has no volume of the name '{pool}'.", nameof(pool));
        Bridge = HostNames.IsBridge(bridge) ? bridge : throw new ArgumentException($"There is no bridge of the name '{bridge}'.", nameof(bridge));
        SwapGroup = swapGroup is null || (LvmName.IsValid(swapGroup) && swapGroup != group) ? swapGroup : throw new ArgumentException($"'{swapGroup}' is no other volume group.", nameof(swapGroup));
    }

    public string Group { get; }

    public string? SwapGroup { get; }

    public string? Pool { get; }

    public string Bridge { get; }
}
