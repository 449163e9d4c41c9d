namespace Portal.Web.Components;

/// <summary>The time zone of the person who looks, as the browser told it in a cookie; UTC where it told nothing usable.</summary>
public sealed record ViewerZone(TimeZoneInfo Zone)
{
    public static ViewerZone Utc { get; } = new(TimeZoneInfo.Utc);

    /// <summary>The IANA name, where it is one that this machine knows; null else.</summary>
    public static string? Known(string? cookie)
    {
        var name = cookie is { Length: > 0 and <= 64 } ? Uri.UnescapeDataString(cookie) : null;
        return name is not null && TimeZoneInfo.TryFindSystemTimeZoneById(name, out _) ? name : null;
    }

    public static ViewerZone Of(string? name) =>
        name is not null && TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) ? new ViewerZone(zone) : Utc;

    public DateTimeOffset Local(DateTimeOffset instant) => TimeZoneInfo.ConvertTime(instant, Zone);
}
