using Portal.Kernel;

namespace Portal.App;

/// <summary>What a hint is about. A hint says "look again" and carries no truth.</summary>
public readonly record struct Topic(string Text)
{
    public static Topic Approvals { get; } = new("approvals");

    public static Topic Hosts { get; } = new("hosts");

    public static Topic Templates { get; } = new("templates");

    public static Topic Of(TenantId tenant) => new($"tenant:{tenant.Value:N}");

    public static Topic Of(VmId vm) => new($"vm:{vm.Value:N}");

    public static Topic Of(OrderId order) => new($"order:{order.Value:N}");
}
