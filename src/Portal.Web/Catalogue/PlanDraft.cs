using System.Globalization;
using Portal.App.Pricing;
using Portal.Kernel;

namespace Portal.Web.Catalogue;

/// <summary>A plan's form while it is filled in. Rates are text until saved, so that every decimal stays as it was typed.</summary>
public sealed class PlanDraft
{
    /// <summary>Null for a plan that is not there yet.</summary>
    public PlanId? Id { get; init; }

    public string Name { get; set; } = "";

    public int Vcpus { get; set; } = 1;

    public long MemoryMiB { get; set; } = 1024;

    public long DiskGiB { get; set; } = 10;

    public bool Offered { get; set; } = true;

    public string Running { get; set; } = "";

    public string Allocated { get; set; } = "";

    public static PlanDraft From(PlanRow row) => new()
    {
        Id = row.Id,
        Name = row.Name,
        Vcpus = row.Vcpus,
        MemoryMiB = row.Memory.CeilingMiB,
        DiskGiB = row.Disk.CeilingGiB,
        Offered = row.Offered,
        Running = row.Price is { } price ? Rate(price.RunningPerHour) : "",
        Allocated = row.Price is { } there ? Rate(there.AllocatedPerHour) : "",
    };

    /// <summary>A rate with its ten decimals.</summary>
    public static string Rate(decimal rate) => rate.ToString("0.0000000000", CultureInfo.InvariantCulture);

    /// <summary>Reads a rate as it was typed, with a point or a comma before the decimals. What could as well be a group of thousands (1,250) is not guessed at.</summary>
    public static bool TryRate(string text, out decimal rate)
    {
        text = text.Trim();
        var parts = text.Split(',');
        text = parts is [var whole, var decimals] && !text.Contains('.', StringComparison.Ordinal) && (whole is "0" or "" || decimals.Length != 3) ? $"{whole}.{decimals}" : text;
        return decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out rate);
    }
}
