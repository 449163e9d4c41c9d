using Bunit;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using Portal.App.Control;
using Portal.Web.Vms;

namespace Portal.Web.Tests.Pages;

/// <summary>Choosing a key of the emergency keyboard.</summary>
public sealed class SysRqDialogTests : ComponentTest
{
    [Fact]
    public async Task Every_key_is_in_the_list_with_its_words_and_the_first_does_no_harm()
    {
        var (provider, asked) = Ask();

        Assert.Equal(SysRq.Keys.Select(k => $"{k.Key}: {k.Words}"), provider.FindAll("option").Select(o => o.TextContent));
        Assert.Equal("Key", provider.Find($"label[for={provider.Find("select").Id}]").TextContent);
        await Buttons(provider)[1].ClickAsync(new());

        Assert.Equal('s', await asked);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_key_that_harms_is_asked_for_once_more(bool sure)
    {
        var (provider, asked) = Ask();
        await provider.Find("select").ChangeAsync(new() { Value = "b" });
        await Buttons(provider)[1].ClickAsync(new());

        provider.WaitForAssertion(() => Assert.Contains("Press SysRq b on web-1?", provider.Markup, StringComparison.Ordinal));
        await Buttons(provider)[sure ? 1 : 0].ClickAsync(new());

        Assert.Equal(sure ? 'b' : null, await asked);
    }

    [Fact]
    public async Task Who_thinks_better_of_it_presses_nothing()
    {
        var (provider, asked) = Ask();

        await Buttons(provider)[0].ClickAsync(new());

        Assert.Null(await asked);
    }

    private (IRenderedComponent<MudDialogProvider> Provider, Task<char?> Asked) Ask()
    {
        var provider = Render<MudDialogProvider>();
        var asked = provider.InvokeAsync(() => Services.GetRequiredService<IDialogService>().AskForSysRqAsync("web-1"));
        provider.WaitForElement("select");
        return (provider, asked);
    }

    private static IReadOnlyList<AngleSharp.Dom.IElement> Buttons(IRenderedComponent<MudDialogProvider> provider) => provider.FindAll(".mud-dialog-actions button");
}
