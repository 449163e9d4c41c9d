using Bunit;
using Portal.App.Control;
using Portal.Engine;
using Portal.Kernel;
using Portal.Web.Vms;

namespace Portal.Web.Tests.Pages;

/// <summary>The form with which a running VM is made to use less.</summary>
public sealed class VmAdjustTests : ComponentTest
{
    private readonly List<DomainChange> _asked = [];

    [Fact]
    public void Only_what_the_host_can_do_is_asked_for()
    {
        Assert.Equal(["Apply Memory", "Apply vCPU"], Buttons(Show(new VmActions { AdjustMemory = true, AdjustVcpus = true })));
        Assert.Equal(["Apply Memory"], Buttons(Show(new VmActions { AdjustMemory = true })));
        Assert.Equal(["Apply vCPU"], Buttons(Show(new VmActions { AdjustVcpus = true })));
    }

    [Fact]
    public void A_number_is_judged_as_it_is_typed_and_applied_by_itself()
    {
        var form = Show(new VmActions { AdjustMemory = true, AdjustVcpus = true });
        Assert.All(form.FindAll("button"), b => Assert.True(b.HasAttribute("disabled")));
        Assert.Contains("64 to 512 MiB; 512 is all of it", form.Markup, StringComparison.Ordinal);

        form.FindAll("input")[0].Input("513");
        Assert.Contains("Memory is 64 to 512 MiB here.", form.Markup, StringComparison.Ordinal);
        Assert.Equal("true", form.FindAll("input")[0].GetAttribute("aria-invalid"));
        Assert.True(form.FindAll("button")[0].HasAttribute("disabled"));
        form.FindAll("form")[0].Submit();
        Assert.Empty(_asked);

        form.FindAll("input")[0].Input("256");
        form.FindAll("form")[0].Submit();
        form.FindAll("input")[1].Input("1");
        form.FindAll("form")[1].Submit();
        Assert.Equal([new DomainChange.SetMemory(ByteSize.FromMiB(256)), new DomainChange.SetVcpus(1)], _asked);
    }

    private static IEnumerable<string?> Buttons(IRenderedComponent<VmAdjust> form) => form.FindAll("button[type=submit]").Select(b => b.GetAttribute("aria-label"));

    private IRenderedComponent<VmAdjust> Show(VmActions can) => Render<VmAdjust>(p => p.Add(f => f.Vm, VmFacts.Of(can)).Add(f => f.Asked, _asked.Add));
}
