using System.Globalization;
using Portal.App.Access;
using Portal.Kernel;

namespace Portal.Web.Catalogue;

/// <summary>A price that is to be set, while it is filled in.</summary>
public sealed class PriceDraft
{
    /// <summary>The tenant whose own price it is; null for the list's.</summary>
    public TenantId? Buyer { get; set; }

    public Currency Currency { get; set; } = Currency.Eur;

    /// <summary>A day or an instant in UTC; empty for now.</summary>
    public string From { get; set; } = "";

    public PlanDraft Rates { get; init; } = new();

    /// <summary>The instant as it was typed; null for now.</summary>
    public Result<DateTimeOffset?> ToFrom() => ReadFrom(From);

    /// <summary>Reads a day (2027-01-01) or an instant (2027-01-01 06:30), both in UTC.</summary>
    public static Result<DateTimeOffset?> ReadFrom(string text) =>
        text.Trim().Length == 0 ? Result<DateTimeOffset?>.Of((DateTimeOffset?)null)
        : DateTimeOffset.TryParseExact(text.Trim(), ["yyyy-MM-dd", "yyyy-MM-dd HH:mm"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at) ? Result<DateTimeOffset?>.Of(at)
        : new Invalid("from", "A day is written 2027-01-01, with a time 2027-01-01 06:30.");
}
