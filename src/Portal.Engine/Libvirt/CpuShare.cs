namespace Portal.Engine.Libvirt;

/// <summary>A domain's share of the processors, as the kernel's control groups count it.</summary>
/// <param name="Shares">Against those of others.</param>
/// <param name="Quota">Microseconds of processor in each <see cref="Period"/>, for all of the domain; -1 for no end.</param>
internal readonly record struct CpuShare(int Shares, int Quota)
{
    /// <summary>In microseconds; the kernel's own default.</summary>
    public const int Period = 100_000;

    private const int EverybodysWeight = 256;

    // cgroup-v1 counts in shares, 1024 of them by default and 262144 at most; cgroup-v2 in weights, 100 by default and 10000 at most (the kernel's admin-guide/cgroup-v2.rst).
    private const int EverybodysShares = 1024;
    private const int EverybodysUnified = 100;
    private const int MostUnified = 10_000;

    /// <summary>The largest weight that can be told apart here from the next.</summary>
    public static int MostWeight(bool unified) => unified ? MostUnified * EverybodysWeight / EverybodysUnified : int.MaxValue / EverybodysShares;

    /// <param name="weight">256 is everybody's.</param>
    /// <param name="cap">In percent of one processor; 0 for none.</param>
    /// <param name="unified">Whether the host has control groups of the second version.</param>
    public static CpuShare Of(int weight, int cap, bool unified) => new(
        Math.Max(2, checked((int)((long)weight * (unified ? EverybodysUnified : EverybodysShares) / EverybodysWeight))),
        cap == 0 ? -1 : checked(cap * (Period / 100)));

    /// <summary>From what a host says, whose period may be another.</summary>
    public static CpuShare Read(long shares, long period, long quota) =>
        new(checked((int)Math.Min(shares, int.MaxValue)), quota < 0 || period <= 0 || quota / period > int.MaxValue / Period ? -1 : checked((int)(quota * Period / period)));
}
