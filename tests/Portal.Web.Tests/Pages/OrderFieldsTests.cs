using Bunit;
using Portal.App.Access;
using Portal.App.Catalogue;
using Portal.Engine;
using Portal.Kernel;
using Portal.Web.Components.Shared;
using Portal.Web.Ordering;

namespace Portal.Web.Tests.Pages;

/// <summary>The order form's fields.</summary>
public sealed class OrderFieldsTests : ComponentTest
{
    private readonly TemplateRow _template = new(TemplateId.New(), "debian-13", "Debian 13", "", "", "1", ByteSize.FromMiB(256), ByteSize.FromGiB(1), true, ImageBoot.Kernel, FirstBoot.Script);

    [Fact]
    public async Task User_data_is_folded_away_and_stays_open_once_there_is_some()
    {
        var draft = new OrderDraft([new() { Template = _template.Id }]);
        var fields = Show(draft, _template);
        Assert.False(fields.Find("details").HasAttribute("open"));

        var field = fields.FindComponents<LabelledText>().Single(f => f.Instance.Label == "User data");
        await fields.InvokeAsync(() => field.Instance.ValueChanged.InvokeAsync("#!/bin/sh\n"));

        Assert.Equal("#!/bin/sh\n", draft.Open.UserData);
        Assert.True(fields.Find("details").HasAttribute("open"));
    }

    [Theory]
    [InlineData(FirstBoot.Script, "Debian 13 runs it once as root, at the first boot, if it begins with #!")]
    [InlineData(FirstBoot.CloudInit, "Handed to the image's cloud-init")]
    [InlineData(FirstBoot.Nothing, "nothing in it acts on user data")]
    [InlineData(FirstBoot.Unknown, "its provider knows")]
    public void What_acts_on_it_is_said_of_the_template_that_is_chosen(FirstBoot first, string said) =>
        Assert.Contains(said, Show(new OrderDraft([new() { Template = _template.Id }]), _template with { FirstBoot = first }).Find("details").TextContent, StringComparison.Ordinal);

    [Fact]
    public async Task Each_kind_of_vm_has_its_own_fields_and_its_own_errors()
    {
        var draft = new OrderDraft([new() { Template = _template.Id, Name = "web" }]);
        var fields = Show(draft, _template);
        Assert.Empty(fields.FindAll(".line-row"));

        await fields.InvokeAsync(() => fields.FindAll("button").Single(b => b.TextContent.Contains("Add another kind of VM", StringComparison.Ordinal)).Click());
        fields.Render(p => p.Add(f => f.Problems, [new Invalid("name", "First.") { Within = "lines[0]" }, new Invalid("count", "Second.") { Within = "lines[1]" }]));

        Assert.Equal(2, fields.FindAll(".line-row").Count);
        Assert.Contains("Has to be corrected", fields.FindAll(".line-row")[0].TextContent, StringComparison.Ordinal);
        Assert.Equal((null, "Second."), (Name().Error, fields.FindComponent<LabelledNumber<long>>().Instance.Error));

        await fields.InvokeAsync(() => fields.FindAll(".line-pick")[0].Click());
        Assert.Equal(("web", "First."), (Name().Value, Name().Error));

        LabelledText Name() => fields.FindComponents<LabelledText>().Single(f => f.Instance.Label == "Name").Instance;
    }

    private IRenderedComponent<OrderFields> Show(OrderDraft draft, TemplateRow template) =>
        Render<OrderFields>(p => p.Add(f => f.Form, draft).Add(f => f.Offer, new OrderOffer([template], [], [])));
}
