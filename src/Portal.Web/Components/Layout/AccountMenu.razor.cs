using Microsoft.AspNetCore.Components;
using MudBlazor;

namespace Portal.Web.Components.Layout;

/// <summary>Who is signed in, the theme, the password, the way out.</summary>
public partial class AccountMenu(Browser browser) : LiveComponent
{
    private static readonly (string Value, string Word, string Icon)[] s_themes =
    [
        ("system", "System", Icons.Material.Outlined.BrightnessAuto),
        ("light", "Light", Icons.Material.Outlined.LightMode),
        ("dark", "Dark", Icons.Material.Outlined.DarkMode),
    ];

    private string? _theme;

    [CascadingParameter]
    private Shell? Shell { get; set; }

    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (firstRender)
        {
            _theme = await browser.ThemeChoiceAsync(Gone);
            StateHasChanged();
        }
    }

    private async Task ChooseAsync(string theme)
    {
        _theme = theme;
        await browser.ChooseThemeAsync(theme, Gone);
    }
}
