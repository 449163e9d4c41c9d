using System.Globalization;
using Portal.App.Policies;

namespace Portal.Web.Policies;

/// <summary>When a policy says yes by itself, as a form asks it.</summary>
public enum ByItself
{
    Never,
    WithinLimits,
    Always,
}

/// <summary>A policy's form while it is filled in. An empty limit means no limit.</summary>
public sealed class PolicyDraft
{
    public ByItself ByItself { get; set; }

    public decimal? PerMonth { get; set; }

    public string Currency { get; set; } = "EUR";

    public int? Vms { get; set; }

    public int WithinDays { get; set; }

    public int? Vcpus { get; set; }

    public long? MemoryMiB { get; set; }

    public long? DiskGiB { get; set; }

    /// <summary>Those that may be used; none chosen means any.</summary>
    public HashSet<string> Templates { get; } = new(StringComparer.Ordinal);

    /// <summary>Those on which an order may be placed; none chosen means every day.</summary>
    public HashSet<DayOfWeek> Days { get; } = [];

    /// <summary>As a browser's time field writes it: <c>09:00</c>; empty for the whole day.</summary>
    public string From { get; set; } = "";

    public string Until { get; set; } = "";

    public string Zone { get; set; } = "UTC";

    public List<StepDraft> Steps { get; } = [];

    public int ExpiresAfterDays { get; set; } = PolicyBody.UsualDays;

    /// <summary>The form of a policy.</summary>
    /// <param name="currency">For a limit that is not set yet.</param>
    public static PolicyDraft Of(PolicyBody body, string currency)
    {
        var limits = body.Automatic;
        var draft = new PolicyDraft
        {
            ByItself = limits is null ? ByItself.Never : limits.IsBounded() ? ByItself.WithinLimits : ByItself.Always,
            PerMonth = limits?.PerMonth,
            Currency = limits?.Currency ?? currency,
            Vms = limits?.Vms,
            WithinDays = limits?.IsBounded() == true ? limits.WithinDays : 7,
            Vcpus = limits?.Vcpus,
            MemoryMiB = limits?.MemoryMiB,
            DiskGiB = limits?.DiskGiB,
            From = Text(limits?.From),
            Until = Text(limits?.Until),
            Zone = limits?.Zone ?? "UTC",
            ExpiresAfterDays = body.ExpiresAfterDays,
        };
        draft.Templates.UnionWith(limits?.Templates ?? []);
        draft.Days.UnionWith(limits?.Days ?? []);
        var before = 0;
        foreach (var step in body.Steps.OrderBy(s => s.Stage))
        {
            draft.Steps.Add(new StepDraft { Name = step.Name, WithBefore = step.Stage == before, Votes = step.Votes, FourEyes = step.FourEyes, Who = [.. step.Who] });
            before = step.Stage;
        }

        return draft;
    }

    public PolicyBody ToBody()
    {
        var stage = 0;
        return new PolicyBody(
            ByItself switch
            {
                ByItself.Never => null,
                ByItself.Always => new AutomaticLimits(),
                ByItself.WithinLimits => new AutomaticLimits
                {
                    PerMonth = PerMonth,
                    Currency = PerMonth is null ? null : Currency.Trim().ToUpperInvariant(),
                    Vms = Vms,
                    WithinDays = PerMonth is null && Vms is null ? 0 : WithinDays,
                    Vcpus = Vcpus,
                    MemoryMiB = MemoryMiB,
                    DiskGiB = DiskGiB,
                    Templates = Templates.Count == 0 ? null : [.. Templates.Order(StringComparer.Ordinal)],
                    Days = Days.Count == 0 ? null : [.. Days.Order()],
                    From = Time(From),
                    Until = Time(Until),
                    Zone = Zone.Trim(),
                },
            },
            ByItself == ByItself.Always ? [] : [.. Steps.Select(s => new PolicyStep(s.Name.Trim(), s.WithBefore && stage > 0 ? stage : ++stage, s.Votes, [.. s.Who], s.FourEyes))],
            ExpiresAfterDays);
    }

    private static string Text(TimeOnly? time) => time?.ToString("HH:mm", CultureInfo.InvariantCulture) ?? "";

    private static TimeOnly? Time(string text) => TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) ? time : null;
}

/// <summary>A step of a policy while it is filled in.</summary>
public sealed class StepDraft
{
    public string Name { get; set; } = "";

    /// <summary>Whether it is asked at the same time as the one before.</summary>
    public bool WithBefore { get; set; }

    public int Votes { get; set; } = 1;

    public bool FourEyes { get; set; } = true;

    public List<Voter> Who { get; init; } = [];
}
