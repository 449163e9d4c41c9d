using System.Globalization;
using Portal.App.Access;
using Portal.Kernel;

namespace Portal.App.Policies;

/// <summary>Says what is wrong with a policy, field by field, before anything is asked of the database: for the form while it is filled in, and for whoever saves it.</summary>
public static class PolicyShape
{
    private static readonly CultureInfo s_words = CultureInfo.InvariantCulture;

    public static IReadOnlyList<Refusal> Check(PolicyBody body, PolicySide side)
    {
        var wrong = new List<Refusal>();
        if (body.Automatic is { } limits)
        {
            wrong.AddRange(Check(limits).Select(r => r.In("automatic")));
        }

        if (body.Steps.Count == 0 && body.Automatic?.IsBounded() != false)
        {
            wrong.Add(new Invalid("steps", "Say whom it asks about what it does not let pass by itself."));
        }

        if (body.Steps.Count > PolicyBody.MaxSteps)
        {
            wrong.Add(new Invalid("steps", string.Create(s_words, $"A policy has at most {PolicyBody.MaxSteps} steps.")));
        }

        wrong.AddRange(body.Steps.SelectMany((step, i) => Check(step, side).Select(r => r.In(string.Create(s_words, $"steps[{i}]")))));
        if (body.Steps.GroupBy(s => s.Name.Trim(), StringComparer.OrdinalIgnoreCase).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            wrong.Add(new Invalid("steps", $"Two steps are called {twice.Key}. Give each a name of its own."));
        }

        if (body.ExpiresAfterDays is < 1 or > PolicyBody.MaxDays)
        {
            wrong.Add(new Invalid("expiresAfterDays", string.Create(s_words, $"An order waits for 1 to {PolicyBody.MaxDays} days.")));
        }

        return wrong;
    }

    private static IEnumerable<Refusal> Check(AutomaticLimits limits)
    {
        if (limits.PerMonth is < 0 or > 1_000_000_000)
        {
            yield return new Invalid("perMonth", "A cost is 0 to a thousand million.");
        }

        if (limits.PerMonth is not null && limits.Currency is not { Length: 3 } || limits.Currency?.All(char.IsAsciiLetterUpper) == false)
        {
            yield return new Invalid("currency", "A currency is three capital letters, such as EUR.");
        }

        if (limits.Vms is < 0 or > 1_000_000)
        {
            yield return new Invalid("vms", "A number of VMs is 0 or more.");
        }

        if (limits.WithinDays is < 0 or > AutomaticLimits.MaxWithinDays)
        {
            yield return new Invalid("withinDays", string.Create(s_words, $"It counts over 0 to {AutomaticLimits.MaxWithinDays} days."));
        }

        if (limits.Vcpus is < 1 or > 1024)
        {
            yield return new Invalid("vcpus", "A VM has 1 vCPU or more.");
        }

        // As bytes they have to fit into 63 bits.
        if (limits.MemoryMiB is < 1 or > 1L << 40)
        {
            yield return new Invalid("memoryMiB", "A VM has 1 MiB of memory or more.");
        }

        if (limits.DiskGiB is < 0 or > 1L << 32)
        {
            yield return new Invalid("diskGiB", "A disk has 0 GiB or more.");
        }

        if (limits.Templates is { Count: 0 or > 50 } || limits.Templates?.Any(t => t is null || !VmName.TryParse(t, out _)) == true)
        {
            yield return new Invalid("templates", "Name 1 to 50 templates by their short names.");
        }

        if (limits.Days is { Count: 0 } || limits.Days?.Any(d => !Enum.IsDefined(d)) == true)
        {
            yield return new Invalid("days", "Choose at least one day.");
        }

        if (limits.From is null != limits.Until is null || (limits.From is { } from && from == limits.Until))
        {
            yield return new Invalid("from", "A time of day has a beginning and an end, and the two differ.");
        }

        if (!TimeZoneInfo.TryFindSystemTimeZoneById(limits.Zone, out _))
        {
            yield return new Invalid("zone", "There is no such time zone. Write it as in Europe/Vienna, or UTC.");
        }
    }

    private static IEnumerable<Refusal> Check(PolicyStep step, PolicySide side)
    {
        if (step.Name.Trim() is not { Length: > 0 and <= PolicyStep.MaxName })
        {
            yield return new Invalid("name", string.Create(s_words, $"A step's name has 1 to {PolicyStep.MaxName} characters."));
        }

        if (step.Stage is < 1 or > PolicyBody.MaxSteps)
        {
            yield return new Invalid("stage", string.Create(s_words, $"A stage is a number from 1 to {PolicyBody.MaxSteps}."));
        }

        if (step.Votes is < 1 or > PolicyStep.MaxVotes)
        {
            yield return new Invalid("votes", string.Create(s_words, $"A step needs 1 to {PolicyStep.MaxVotes} votes."));
        }

        if (step.Who.Count is < 1 or > PolicyStep.MaxWho)
        {
            yield return new Invalid("who", "Say who may vote.");
        }
        else if (step.Who.Any(v => v is null || new[] { v.PlatformRole is not null, v.TenantRole is not null, v.Person is not null }.Count(given => given) != 1))
        {
            yield return new Invalid("who", "Each that may vote is a role or a person.");
        }
        else if (step.Who.Any(v => side == PolicySide.Tenant ? v.PlatformRole is not null : v.TenantRole is not null))
        {
            yield return new Invalid("who", side == PolicySide.Tenant ? "A tenant asks its own people: roles of its members, or persons among them." : "The provider asks its own people: platform roles, or persons who hold one.");
        }
        else if (step.Who.All(v => v.Person is not null) && step.Who.DistinctBy(v => v.Person).Count() < step.Votes)
        {
            yield return new Invalid("votes", string.Create(s_words, $"It names {step.Who.DistinctBy(v => v.Person).Count()} and needs {step.Votes}."));
        }
    }
}
