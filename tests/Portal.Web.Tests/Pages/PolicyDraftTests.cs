using Bunit;
using Portal.App.Access;
using Portal.App.Policies;
using Portal.Kernel;
using Portal.Web.Policies;

namespace Portal.Web.Tests.Pages;

/// <summary>A policy's form: what it reads it writes again, and it numbers stages by itself.</summary>
public sealed class PolicyDraftTests : ComponentTest
{
    private static readonly PolicyBody s_body = new(
        new AutomaticLimits { PerMonth = 50, Currency = "CHF", Vms = 3, WithinDays = 30, MemoryMiB = 512, Templates = ["debian-13"], Days = [DayOfWeek.Monday], From = new TimeOnly(9, 0), Until = new TimeOnly(17, 30), Zone = "Europe/Vienna" },
        [
            new PolicyStep("A", 1, 1, [new Voter(PlatformRole: PlatformRole.Approver)]),
            new PolicyStep("B", 1, 2, [new Voter(Person: Guid.CreateVersion7(), Name: "Ana")], FourEyes: false),
            new PolicyStep("C", 2, 1, [new Voter(PlatformRole: PlatformRole.Operator)]),
        ],
        30);

    [Fact]
    public void A_form_writes_what_it_read()
    {
        Same(s_body, PolicyDraft.Of(s_body, "EUR").ToBody());
        Same(PolicyBody.OneApprover, PolicyDraft.Of(PolicyBody.OneApprover, "EUR").ToBody());
        Same(PolicyBody.Nobody, PolicyDraft.Of(PolicyBody.Nobody, "EUR").ToBody());

        static void Same(PolicyBody expected, PolicyBody actual) => Assert.Equal(System.Text.Json.JsonSerializer.Serialize(expected), System.Text.Json.JsonSerializer.Serialize(actual));
    }

    [Fact]
    public void Stages_are_counted_from_one_whatever_was_taken_away()
    {
        var draft = PolicyDraft.Of(s_body, "EUR");
        draft.Steps.RemoveAt(0);

        Assert.Equal([("B", 1), ("C", 2)], draft.ToBody().Steps.Select(s => (s.Name, s.Stage)));
    }

    [Fact]
    public void Whom_a_step_asks_is_chosen_from_the_sides_own_people()
    {
        var draft = PolicyDraft.Of(PolicyBody.OneApprover, "EUR");
        var ana = new Voter(Person: Guid.CreateVersion7(), Name: "Ana");
        var details = new GetPolicy.Details(null, null, PolicySide.Provider, null, 0, [], [ana], [], Currency.Eur, true);
        var form = Render<PolicySteps>(p => p.Add(s => s.Draft, draft).Add(s => s.Details, details));
        // Those that are chosen are not offered again.
        Assert.Equal(["", "role:Administrator", "role:Operator", "role:Biller", "role:Support", $"person:{ana.Person}"], form.FindAll("#who-0 option").Select(o => o.GetAttribute("value")));

        form.Find("#who-0").Change($"person:{ana.Person}");
        form.Find("[aria-label='Remove an approver']").Click();
        form.FindAll("button").Single(b => b.TextContent.Contains("Add a step", StringComparison.Ordinal)).Click();
        form.Find("#when-1").Change("with");

        Assert.Equal([ana], draft.Steps[0].Who);
        Assert.Equal([1, 1], draft.ToBody().Steps.Select(s => s.Stage));
    }
}
