using Bunit;
using Portal.App.Fleet;
using Portal.Engine;
using Portal.Web.Hosts;

namespace Portal.Web.Tests.Pages;

/// <summary>What an operator says of a Xen host.</summary>
public sealed class HostFieldsTests : ComponentTest
{
    [Fact]
    public void How_guests_run_is_chosen_and_what_stands_against_it_is_said_there()
    {
        var draft = new HostDraft();
        var told = 0;
        var form = Render<HostFields>(p => p.Add(f => f.Form, draft).Add(f => f.Changed, () => told++));
        Assert.Equal([true, false], form.FindAll("input[name=guests]").Select(i => i.HasAttribute("checked")));
        Assert.Contains("with its next start", form.Markup, StringComparison.Ordinal);

        form.FindAll("input[name=guests]")[1].Change(true);

        Assert.Equal((KernelGuests.Pvh, 1), (draft.ToForm().Guests, told));

        form.Render(p => p.Add(f => f.Problem, new HostCannotRun("xen1", KernelGuests.Pvh)));
        Assert.Contains("VT-x", form.Find(".field-error").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void A_host_that_is_not_there_yet_has_nothing_to_take_over() =>
        Assert.DoesNotContain("with its next start", Render<HostFields>(p => p.Add(f => f.Form, new HostDraft()).Add(f => f.New, true)).Markup, StringComparison.Ordinal);
}
