using Bunit;
using Portal.App.Control;
using Portal.Web.Vms;

namespace Portal.Web.Tests.Pages;

/// <summary>The form that says whether a VM is started after a boot of its host.</summary>
public sealed class VmBootOrderTests : ComponentTest
{
    private readonly List<int?> _said = [];

    [Fact]
    public void A_place_is_judged_as_it_is_typed_and_none_is_said_by_the_box()
    {
        var form = Show(new VmActions { SetBootOrder = true });
        Assert.True(form.Find("button[type=submit]").HasAttribute("disabled"));

        form.FindAll("input")[1].Input("1000");
        Assert.Contains("A place is 0 to 999.", form.Markup, StringComparison.Ordinal);
        form.Find("form").Submit();
        Assert.Empty(_said);

        form.FindAll("input")[1].Input("5");
        form.Find("form").Submit();
        form.FindAll("input")[0].Change(false);
        form.Find("form").Submit();
        Assert.Equal([5, null], _said);
    }

    [Fact]
    public void Who_may_not_say_it_reads_it()
    {
        var form = Show(new VmActions());

        Assert.Empty(form.FindAll("form"));
        Assert.Contains("Started, in place 100.", form.Markup, StringComparison.Ordinal);
    }

    private IRenderedComponent<VmBootOrder> Show(VmActions can) => Render<VmBootOrder>(p => p.Add(f => f.Vm, VmFacts.Of(can)).Add(f => f.Said, _said.Add));
}
