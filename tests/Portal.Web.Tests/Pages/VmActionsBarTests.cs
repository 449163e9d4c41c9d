using Bunit;
using MudBlazor;
using Portal.App.Control;
using Portal.Kernel;
using Portal.Web.Vms;

namespace Portal.Web.Tests.Pages;

/// <summary>What is offered on a VM's page, and nothing else.</summary>
public sealed class VmActionsBarTests : ComponentTest
{
    private readonly List<VmWish> _asked = [];

    [Fact]
    public async Task What_the_host_can_do_is_in_the_menu()
    {
        Assert.Equal(["Reboot", "Pause", "Save to disk", "SysRq...", "Force off", "Delete"], await MenuAsync(new VmActions { Reboot = true, Pause = true, Save = true, SysRq = true, PowerOff = true, Delete = true }));
    }

    [Fact]
    public async Task What_it_cannot_is_not_there() =>
        Assert.Equal(["Reboot", "Force off", "Delete"], await MenuAsync(new VmActions { Reboot = true, PowerOff = true, Delete = true }));

    [Fact]
    public async Task What_is_for_those_who_look_after_hosts_is_there_where_the_host_can_do_it() =>
        Assert.Equal(["Move to another host", "Detach from its template"], await MenuAsync(new VmActions { Move = true, Detach = true }));

    [Fact]
    public async Task Each_asks_for_what_it_says()
    {
        foreach (var (word, wish) in new[] { ("Pause", VmWish.Pause), ("Save to disk", VmWish.Save), ("SysRq...", VmWish.SysRq) })
        {
            var popovers = await OpenAsync(new VmActions { Pause = true, Save = true, SysRq = true });
            await popovers.FindAll(".mud-menu-item").Single(i => i.TextContent.Trim() == word).ClickAsync(new());
            Assert.Equal(wish, _asked[^1]);
        }
    }

    [Fact]
    public void A_paused_one_is_resumed_with_the_filled_button()
    {
        var bar = Show(VmFacts.Of(new VmActions { Resume = true, Console = true, PowerOff = true }, ShownStatus.Paused));

        var filled = Assert.Single(bar.FindAll(".mud-button-filled"));
        Assert.Equal("Resume", filled.TextContent.Trim());
        filled.Click();
        Assert.Equal([VmWish.Resume], _asked);
    }

    [Fact]
    public async Task A_saved_one_is_started_or_gives_its_memory_up()
    {
        var can = new VmActions { Start = true, PowerOff = true };

        Assert.Equal("Start", Assert.Single(Show(VmFacts.Of(can, ShownStatus.Saved, saved: true)).FindAll(".mud-button-filled")).TextContent.Trim());
        Assert.Equal(["Give up saved memory"], await MenuAsync(can, saved: true));
    }

    private IRenderedComponent<VmActionsBar> Show(GetVm.Details vm) => Render<VmActionsBar>(p => p.Add(b => b.Vm, vm).Add(b => b.Tenant, TenantId.New()).Add(b => b.ConsoleHref, "/console").Add(b => b.Asked, _asked.Add));

    private async Task<IReadOnlyList<string>> MenuAsync(VmActions can, bool saved = false) =>
        [.. (await OpenAsync(can, saved)).FindAll(".mud-menu-item").Select(i => i.TextContent.Trim())];

    private async Task<IRenderedComponent<MudPopoverProvider>> OpenAsync(VmActions can, bool saved = false)
    {
        await DisposeComponentsAsync();
        var popovers = Render<MudPopoverProvider>();
        var bar = Show(VmFacts.Of(can, saved: saved));
        await bar.Find(".mud-menu button").ClickAsync(new());
        popovers.WaitForElement(".mud-menu-item");
        return popovers;
    }
}
