using System.Globalization;
using Portal.Kernel;

namespace Portal.App.Policies;

/// <summary>Says what a policy does, for people.</summary>
public static class PolicyWords
{
    private static readonly CultureInfo s_words = CultureInfo.InvariantCulture;

    // Weeks begin on Monday.
    private static readonly DayOfWeek[] s_week = [DayOfWeek.Monday, DayOfWeek.Tuesday, DayOfWeek.Wednesday, DayOfWeek.Thursday, DayOfWeek.Friday, DayOfWeek.Saturday, DayOfWeek.Sunday];

    /// <summary>A policy as sentences, in the order in which they apply.</summary>
    public static IReadOnlyList<string> Of(PolicyBody body)
    {
        var sentences = new List<string> { body.Automatic is { } limits ? Of(limits) : "It asks about every order." };
        if (body.Automatic is not null && body.Steps.Count > 0)
        {
            sentences[0] += " It asks about every other.";
        }

        var first = true;
        foreach (var stage in body.Steps.GroupBy(s => s.Stage).OrderBy(g => g.Key))
        {
            sentences.Add($"{(first ? "It asks" : "Then it asks")} {string.Join(", and at the same time ", stage.Select(Of))}.");
            first = false;
        }

        if (body.Steps.Count > 0)
        {
            sentences.Add($"An order that nobody decides on expires after {InDays(body.ExpiresAfterDays)}.");
        }

        return sentences;
    }

    /// <summary>A step: <c>Finance: 2 of Ana, Bo or an owner of the tenant, never who ordered</c>.</summary>
    public static string Of(PolicyStep step) => $"{step.Name}: {Who(step.Votes, step.Who)}{(step.FourEyes ? ", never who ordered" : "")}";

    /// <summary>How many of whom: <c>an approver</c>, <c>2 of Ana or an approver</c>.</summary>
    public static string Who(int votes, IReadOnlyList<Voter> who) => votes == 1 ? Or(who) : string.Create(s_words, $"{votes} of: {Or(who)}");

    private static string Or(IReadOnlyList<Voter> who) => who switch
    {
        [] => "nobody",
        [var only] => only.ToString(),
        [.., var last] => $"{string.Join(", ", who.Take(who.Count - 1))} or {last}",
    };

    private static string Of(AutomaticLimits limits)
    {
        if (!limits.IsBounded())
        {
            return "It says yes to every order by itself.";
        }

        var parts = new List<string>();
        var within = limits.WithinDays > 0 ? $", with what it let pass for the same person in {InDays(limits.WithinDays)}" : "";
        if (limits.PerMonth is { } most)
        {
            parts.Add($"costs at most {new Money(most, new Currency(limits.Currency ?? "EUR"))} a month{within}");
        }

        if (limits.Vms is { } vms)
        {
            parts.Add(string.Create(s_words, $"has at most {vms} {(vms == 1 ? "VM" : "VMs")}{(limits.PerMonth is null ? within : within.Length > 0 ? " in the same time" : "")}"));
        }

        if (SizeOf(limits) is { Length: > 0 } size)
        {
            parts.Add($"has VMs of at most {size}");
        }

        if (limits.Templates is { } templates)
        {
            parts.Add($"is made of {(templates.Count == 0 ? "no template" : string.Join(" or ", templates))}");
        }

        if (limits.Days is not null || limits.From is not null)
        {
            parts.Add($"is placed {Hours(limits)}");
        }

        return $"It says yes by itself to an order that {string.Join(", and ", parts)}.";
    }

    private static string SizeOf(AutomaticLimits limits) => string.Join(", ", new[]
    {
        limits.Vcpus is { } vcpus ? string.Create(s_words, $"{vcpus} vCPU") : null,
        limits.MemoryMiB is { } memory ? $"{ByteSize.FromMiB(memory)} of memory" : null,
        limits.DiskGiB is { } disk ? $"{ByteSize.FromGiB(disk)} of disk" : null,
    }.OfType<string>());

    /// <summary>When orders may be placed: <c>Monday to Friday, 09:00 to 17:00 UTC</c>.</summary>
    internal static string Hours(AutomaticLimits limits)
    {
        var days = limits.Days is { } some ? DaysOf(some) : "on every day";
        var hours = limits is { From: { } from, Until: { } until } ? string.Create(s_words, $", {from:HH:mm} to {until:HH:mm}") : "";
        return $"{days}{hours} {limits.Zone}";
    }

    private static string DaysOf(IReadOnlyList<DayOfWeek> days)
    {
        var chosen = s_week.Where(days.Contains).ToList();
        var first = Array.IndexOf(s_week, chosen.FirstOrDefault());
        return chosen.Count > 2 && chosen.SequenceEqual(s_week.Skip(first).Take(chosen.Count)) ? $"{chosen[0]} to {chosen[^1]}" : string.Join(", ", chosen);
    }

    internal static string InDays(int days) => days == 1 ? "1 day" : string.Create(s_words, $"{days} days");
}
