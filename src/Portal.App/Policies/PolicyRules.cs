using System.Globalization;
using Portal.App.Catalogue;
using Portal.Kernel;

namespace Portal.App.Policies;

/// <summary>An order as a policy looks at it.</summary>
/// <param name="PerMonth">What all of it costs while it runs.</param>
/// <param name="At">When it was placed.</param>
public sealed record AskedOrder(Money PerMonth, IReadOnlyList<AskedVms> Vms, DateTimeOffset At);

/// <summary>Some VMs of one kind in an order.</summary>
/// <param name="Template">The template's short name.</param>
public sealed record AskedVms(int Count, string Template, VmSize Size);

/// <summary>An earlier order of the same requester that the same side let pass by itself.</summary>
public sealed record PassedOrder(DateTimeOffset At, Money PerMonth, int Vms);

/// <summary>What a policy says to an order.</summary>
/// <param name="Steps">Whom it asks; none where it says yes by itself.</param>
/// <param name="Why">A sentence: why it asks, or why it does not.</param>
public sealed record PolicyAnswer(IReadOnlyList<PolicyStep> Steps, string Why)
{
    public const int MaxWhy = 1000;

    public bool ByItself => Steps.Count == 0;
}

/// <summary>Applies a policy to an order: a pure function, the same for the order itself, its preview and the try-out.</summary>
public static class PolicyRules
{
    private static readonly CultureInfo s_words = CultureInfo.InvariantCulture;

    /// <param name="earlier">What the same side let pass by itself for the same requester; what is too old for the policy is left out here.</param>
    public static PolicyAnswer Ask(PolicyBody body, AskedOrder order, IEnumerable<PassedOrder> earlier)
    {
        if (body.Automatic is not { } limits)
        {
            return new PolicyAnswer(body.Steps, "It asks about every order.");
        }

        var since = order.At.AddDays(-limits.WithinDays);
        var recent = earlier.Where(e => e.At > since && e.At <= order.At).ToList();
        var objections = Objections(limits, order, recent).ToList();
        return objections.Count > 0 ? new PolicyAnswer(body.Steps, Cut($"It asks because {string.Join(", and ", objections)}."))
            : new PolicyAnswer([], limits.IsBounded() ? Cut($"It says yes by itself{Within(limits, order, recent)}.") : "It says yes to every order by itself.");
    }

    private static IEnumerable<string> Objections(AutomaticLimits limits, AskedOrder order, List<PassedOrder> recent)
    {
        var before = recent.Count == 0 ? "" : string.Create(s_words, $" together with {recent.Count} earlier {(recent.Count == 1 ? "order" : "orders")} in {InDays(limits.WithinDays)}");
        if (limits.PerMonth is { } most)
        {
            if (order.PerMonth.Currency.Code != limits.Currency)
            {
                yield return $"its limit is in {limits.Currency} and the order in {order.PerMonth.Currency}";
            }
            else if (Sum(order, recent) is var sum && sum.Amount > most)
            {
                yield return $"{sum} a month{before} is more than {new Money(most, sum.Currency)}";
            }
        }

        var vms = Vms(order, recent);
        if (vms > limits.Vms)
        {
            yield return string.Create(s_words, $"{vms} VMs{before} are more than {limits.Vms}");
        }

        foreach (var kind in order.Vms)
        {
            if (kind.Size.Vcpus > limits.Vcpus)
            {
                yield return string.Create(s_words, $"{kind.Size.Vcpus} vCPU are more than {limits.Vcpus} for one VM");
            }

            if (kind.Size.Memory.CeilingMiB > limits.MemoryMiB)
            {
                yield return $"{kind.Size.Memory} of memory is more than {ByteSize.FromMiB(limits.MemoryMiB.Value)} for one VM";
            }

            if (kind.Size.Disk.CeilingGiB > limits.DiskGiB)
            {
                yield return $"{kind.Size.Disk} of disk is more than {ByteSize.FromGiB(limits.DiskGiB.Value)} for one VM";
            }

            if (limits.Templates is { } templates && !templates.Contains(kind.Template, StringComparer.Ordinal))
            {
                yield return $"{kind.Template} is not one of its templates";
            }
        }

        if (OutsideHours(limits, order.At) is { } outside)
        {
            yield return outside;
        }
    }

    private static string? OutsideHours(AutomaticLimits limits, DateTimeOffset at)
    {
        if (limits.Days is null && limits.From is null)
        {
            return null;
        }

        if (!TimeZoneInfo.TryFindSystemTimeZoneById(limits.Zone, out var zone))
        {
            return $"the time zone {limits.Zone} is not known here";
        }

        var local = TimeZoneInfo.ConvertTime(at, zone);
        var time = TimeOnly.FromTimeSpan(local.TimeOfDay);
        var inside = limits.Days?.Contains(local.DayOfWeek) != false
            && (limits is not { From: { } from, Until: { } until } || (from < until ? time >= from && time < until : time >= from || time < until));
        return inside ? null : string.Create(s_words, $"it was placed on {local:dddd, HH:mm} {limits.Zone}, outside {PolicyWords.Hours(limits)}");
    }

    private static string Within(AutomaticLimits limits, AskedOrder order, List<PassedOrder> recent)
    {
        var parts = new List<string>(2);
        if (limits.PerMonth is { } most)
        {
            parts.Add($"{Sum(order, recent)} a month of {new Money(most, order.PerMonth.Currency)}");
        }

        if (limits.Vms is { } vms)
        {
            parts.Add(string.Create(s_words, $"{Vms(order, recent)} of {vms} VMs"));
        }

        var used = string.Join(" and ", parts);
        return used.Length == 0 ? ": the order is within its limits" : limits.WithinDays > 0 ? $": {used}, counted over {InDays(limits.WithinDays)}" : $": {used}";
    }

    // What was let pass in another currency adds nothing: the tenant's currency never changes, so there is none.
    private static Money Sum(AskedOrder order, List<PassedOrder> recent) =>
        recent.Where(r => r.PerMonth.Currency == order.PerMonth.Currency).Aggregate(order.PerMonth, (sum, r) => sum + r.PerMonth);

    private static int Vms(AskedOrder order, List<PassedOrder> recent) => order.Vms.Sum(v => v.Count) + recent.Sum(r => r.Vms);

    private static string InDays(int days) => PolicyWords.InDays(days);

    private static string Cut(string text) => text.Length <= PolicyAnswer.MaxWhy ? text : text[..(PolicyAnswer.MaxWhy - 4)] + " ...";
}
