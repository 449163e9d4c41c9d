using System.Globalization;
using Portal.App.Access;
using Portal.App.Catalogue;
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

    /// <summary>Whether the size is chosen with the order, up to the next three.</summary>
    public bool Custom { get; set; }

    public int MaxVcpus { get; set; } = 8;

    public long MaxMemoryMiB { get; set; } = 16 << 10;

    public long MaxDiskGiB { get; set; } = 200;

    public bool Offered { get; set; } = true;

    /// <summary>Why it cannot be ordered for now; empty where it can.</summary>
    public string Paused { get; set; } = "";

    /// <summary>How many VMs of it there may be at once; null for no bound.</summary>
    public int? Stock { get; set; }

    public string Running { get; set; } = "";

    public string Allocated { get; set; } = "";

    /// <summary>Once, when a VM first runs; empty for nothing.</summary>
    public string Setup { get; set; } = "";

    /// <summary>For each vCPU more than the smallest size; so are the next two for each GiB more.</summary>
    public string PerVcpu { get; set; } = "";

    public string PerMemoryGiB { get; set; } = "";

    public string PerDiskGiB { get; set; } = "";

    public static PlanDraft From(PlanRow row)
    {
        var draft = new PlanDraft
        {
            Id = row.Id,
            Name = row.Name,
            Vcpus = row.Size.Vcpus,
            MemoryMiB = row.Size.Memory.CeilingMiB,
            DiskGiB = row.Size.Disk.CeilingGiB,
            Custom = row.IsCustom,
            Offered = row.Offered,
            Paused = row.Paused ?? "",
            Stock = row.Stock,
        };
        if (row.IsCustom)
        {
            (draft.MaxVcpus, draft.MaxMemoryMiB, draft.MaxDiskGiB) = (row.Largest.Vcpus, row.Largest.Memory.CeilingMiB, row.Largest.Disk.CeilingGiB);
        }

        if (row.Tariff is { } tariff)
        {
            draft.Take(tariff);
        }

        return draft;
    }

    /// <summary>Fills in what a tariff says.</summary>
    public void Take(Tariff tariff)
    {
        (Running, Allocated) = (Rate(tariff.Smallest.RunningPerHour), Rate(tariff.Smallest.AllocatedPerHour));
        (PerVcpu, PerMemoryGiB, PerDiskGiB) = (Rate(tariff.RunningPerVcpu), Rate(tariff.RunningPerMemoryGiB), Rate(tariff.AllocatedPerDiskGiB));
        Setup = tariff.Smallest.Setup > 0 ? tariff.Smallest.Setup.ToString($"F{tariff.Smallest.Currency.MinorUnits}", CultureInfo.InvariantCulture) : "";
    }

    /// <summary>The two ends of what can be chosen; null while they are not in order.</summary>
    public (VmSize Smallest, VmSize Largest)? Ends =>
        Vcpus >= 1 && MaxVcpus >= Vcpus && MemoryMiB >= 1 && MaxMemoryMiB >= MemoryMiB && DiskGiB >= 1 && MaxDiskGiB >= DiskGiB && MaxMemoryMiB <= 16_777_216 && MaxDiskGiB <= 65_536
            ? (new VmSize(Vcpus, ByteSize.FromMiB(MemoryMiB), ByteSize.FromGiB(DiskGiB)), new VmSize(MaxVcpus, ByteSize.FromMiB(MaxMemoryMiB), ByteSize.FromGiB(MaxDiskGiB)))
            : null;

    public SavePlan.Request ToRequest() => new(Id, Name, Vcpus, MemoryMiB, DiskGiB, Offered, Custom ? new SavePlan.LargestSize(MaxVcpus, MaxMemoryMiB, MaxDiskGiB) : null, Paused, Stock);

    /// <summary>The rates as they were typed, or what is wrong with which field.</summary>
    public Result<Tariff> ToTariff(Currency currency)
    {
        var wrong = new List<Refusal>();
        var (running, allocated) = (Read(Running, "running"), Read(Allocated, "allocated"));
        var setup = Setup.Trim().Length == 0 ? 0 : Read(Setup, "setup");
        var (vcpu, memory, disk) = Custom ? (Read(PerVcpu, "perVcpu"), Read(PerMemoryGiB, "perMemoryGiB"), Read(PerDiskGiB, "perDiskGiB")) : default;
        return wrong is [var first, .. var others]
            ? Result<Tariff>.Of(first with { Also = others })
            : new Tariff(new Price(currency, running, allocated, setup), vcpu, memory, disk);

        decimal Read(string text, string field)
        {
            if (!TryRate(text, out var rate))
            {
                wrong.Add(new Invalid(field, "A rate is a number such as 0.0060000000."));
            }

            return rate;
        }
    }

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
