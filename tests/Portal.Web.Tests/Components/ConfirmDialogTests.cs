using Bunit;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using Portal.Web.Components.Shared;

namespace Portal.Web.Tests.Components;

/// <summary>Questions before what cannot be taken back.</summary>
public sealed class ConfirmDialogTests : ComponentTest
{
    [Fact]
    public async Task Deleting_needs_the_name_typed_exactly()
    {
        var provider = Render<MudDialogProvider>();
        Render<MudPopoverProvider>();
        var dialogs = Services.GetRequiredService<IDialogService>();

        var asked = provider.InvokeAsync(() => dialogs.AskToDeleteAsync("web-1", "Its disk is wiped."));
        provider.WaitForElement("input");
        Assert.True(Yes(provider).HasAttribute("disabled"));
        await provider.Find("input").InputAsync("web-2");
        Assert.True(Yes(provider).HasAttribute("disabled"));
        await provider.Find("input").InputAsync("web-1");
        await Yes(provider).ClickAsync(new());

        Assert.True(await asked);
    }

    [Fact]
    public async Task A_simple_question_is_answered_no_by_its_first_button()
    {
        var provider = Render<MudDialogProvider>();
        var dialogs = Services.GetRequiredService<IDialogService>();

        var asked = provider.InvokeAsync(() => dialogs.AskAsync("Force off web-1?", "Unwritten data is lost.", "Force off", dangerous: true));
        provider.WaitForElement(".mud-dialog-actions button");
        await provider.FindAll(".mud-dialog-actions button")[0].ClickAsync(new());

        Assert.False(await asked);
    }

    private static AngleSharp.Dom.IElement Yes(IRenderedComponent<MudDialogProvider> provider) => provider.FindAll(".mud-dialog-actions button")[1];
}
