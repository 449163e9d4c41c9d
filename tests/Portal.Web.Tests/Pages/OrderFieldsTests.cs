using Bunit;
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
        var draft = new OrderDraft { Template = _template.Id };
        var fields = Show(draft, _template);
        Assert.False(fields.Find("details").HasAttribute("open"));

        var field = fields.FindComponents<LabelledText>().Single(f => f.Instance.Label == "User data");
        await fields.InvokeAsync(() => field.Instance.ValueChanged.InvokeAsync("#!/bin/sh\n"));

        Assert.Equal("#!/bin/sh\n", draft.UserData);
        Assert.True(fields.Find("details").HasAttribute("open"));
    }

    [Theory]
    [InlineData(FirstBoot.Script, "Debian 13 runs it once as root, at the first boot, if it begins with #!")]
    [InlineData(FirstBoot.CloudInit, "Handed to the image's cloud-init")]
    [InlineData(FirstBoot.Nothing, "nothing in it acts on user data")]
    public void What_acts_on_it_is_said_of_the_template_that_is_chosen(FirstBoot first, string said) =>
        Assert.Contains(said, Show(new OrderDraft { Template = _template.Id }, _template with { FirstBoot = first }).Find("details").TextContent, StringComparison.Ordinal);

    private IRenderedComponent<OrderFields> Show(OrderDraft draft, TemplateRow template) =>
        Render<OrderFields>(p => p.Add(f => f.Form, draft).Add(f => f.Offer, new OrderOffer([template], [], [])));
}
