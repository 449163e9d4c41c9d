using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Portal.Browser.Tests.Lab;

/// <summary>The main job on a real Xen host with LVM, which the portal reaches over SSH.</summary>
[Trait("Category", "Live")]
[Collection("One browser at a time")]
public sealed class LabJourneyTests(LabPortal portal, Browser browser) : IClassFixture<LabPortal>
{
    [Fact]
    public async Task A_vm_is_ordered_on_the_xen_host_lvcreate_and_xl_are_watched_its_console_answers_and_it_is_deleted()
    {
        await using var tenant = await browser.OpenAsync(portal);
        await using var staff = await browser.OpenAsync(portal);
        await tenant.SignInAsync(Person.Tenant);
        await staff.SignInAsync(Person.Administrator);
        await SeeTheHostAsync(staff);

        await tenant.GoAsync("/t/acme/orders/new");
        await tenant.Page.GetByLabel("Name", new() { Exact = true }).FillAsync("xen-web");
        await tenant.Page.GetByRole(AriaRole.Radio, new() { NameRegex = new Regex("^Nano ") }).CheckAsync();
        await tenant.Button("Place order, ").ClickAsync();
        await tenant.Page.WaitForURLAsync(new Regex("/t/acme/orders/[0-9a-f-]{36}"));
        await staff.GoAsync("/approvals");
        await staff.Page.Locator("main tbody a[href^='/approvals/']").First.ClickAsync();
        await staff.Button("^Approve").ClickAsync();

        // Watched while it is done: what runs on the host, command by command.
        await tenant.Page.Locator("main a[href*='/vms/']").First.ClickAsync();
        await tenant.Page.WaitForURLAsync(new Regex("/vms/[0-9a-f-]{36}"));
        await tenant.Page.GetByRole(AriaRole.Link, new() { Name = "Activity" }).ClickAsync();
        await tenant.Page.Locator("main a[href*='/operations/']").First.ClickAsync();
        var steps = tenant.Page.Locator(".steps");
        await Assertions.Expect(steps).ToContainTextAsync(new Regex("lvcreate --yes --snapshot .*vgdisk/"), new() { Timeout = 180_000 });
        await Assertions.Expect(steps).ToContainTextAsync("lvcreate --yes --virtualsize 4194304b", new() { Timeout = 180_000 });
        await Assertions.Expect(steps).ToContainTextAsync(new Regex("xl create .*/domains/"), new() { Timeout = 180_000 });
        await Assertions.Expect(tenant.Page.Locator(".page-head .status-word")).ToHaveTextAsync("Done", new() { Timeout = 180_000 });
        await PictureTests.TakeAsync(tenant.Page, "operation-on-xen");

        await tenant.Page.GetByRole(AriaRole.Link, new() { Name = "Go to xen-web" }).ClickAsync();
        await TalkToTheGuestAsync(tenant);
        await PictureTests.TakeAsync(tenant.Page, "vm-console-on-xen");
        await SeeItOnTheHostAsync(staff, "xen-web");
        await PauseAndResumeAsync(tenant);
        await DeleteAsync(tenant, "xen-web");
        await SeeNothingLeftAsync(staff);
    }

    private async Task SeeTheHostAsync(Person staff)
    {
        var host = await ReadyHostAsync(staff);
        await staff.GoAsync("/ops/hosts");
        await Assertions.Expect(staff.Page.Locator("main .status-word").First).ToHaveTextAsync("Online");
        await PictureTests.TakeAsync(staff.Page, "hosts-with-xen");
        foreach (var (tab, says) in new[] { ("", "vgdisk/thin"), ("checks", "Bridge xenbr0"), ("inventory", "Domains"), ("messages", "xen_version"), ("installation", "root@127.0.0.1 sh -s"), ("settings", "Volume group") })
        {
            await staff.GoAsync($"/ops/hosts/{host}/{tab}");
            await Assertions.Expect(staff.Page.Locator("main")).ToContainTextAsync(says);
            await PictureTests.TakeAsync(staff.Page, $"host-{(tab.Length == 0 ? "overview" : tab)}");
        }
    }

    private static async Task TalkToTheGuestAsync(Person tenant)
    {
        await tenant.Page.GetByRole(AriaRole.Navigation, new() { Name = "xen-web" }).GetByRole(AriaRole.Link, new() { Name = "Console" }).ClickAsync();
        var screen = tenant.Page.Locator(".console-screen");
        await Assertions.Expect(screen).ToContainTextAsync("login:", new() { Timeout = 180_000 });
        await screen.ClickAsync();
        await tenant.Page.Keyboard.TypeAsync("root\n");
        await Assertions.Expect(screen).ToContainTextAsync(new Regex("[#$] ?\\s*$|[#~] "));
        await tenant.Page.Keyboard.TypeAsync("echo answer-$((6*7)) from $(hostname) on $(cat /sys/hypervisor/type)\n");
        await Assertions.Expect(screen).ToContainTextAsync("answer-42 from xen-web on xen");
    }

    private static async Task PauseAndResumeAsync(Person tenant)
    {
        await tenant.Page.GetByRole(AriaRole.Navigation, new() { Name = "xen-web" }).GetByRole(AriaRole.Link, new() { Name = "Overview" }).ClickAsync();
        await Assertions.Expect(tenant.Page.Locator("main")).ToContainTextAsync("Use less while it runs");
        await PictureTests.TakeAsync(tenant.Page, "vm-on-xen");
        await tenant.Button("More").ClickAsync();
        await tenant.Page.Locator(".mud-menu-item", new() { HasText = "SysRq" }).WaitForAsync();
        await PictureTests.SaveAsync(tenant.Page, "vm-more-light-1440.png");
        await tenant.Page.Locator(".mud-menu-item", new() { HasText = "Pause" }).ClickAsync();
        await tenant.Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { NameRegex = new Regex("^Pause") }).ClickAsync();
        var status = tenant.Page.Locator(".page-head .status-word");
        await Assertions.Expect(status).ToHaveTextAsync("Paused", new() { Timeout = 120_000 });
        await PictureTests.SaveAsync(tenant.Page, "vm-paused-light-1440.png");
        await tenant.Button("^Resume").ClickAsync();
        await Assertions.Expect(status).ToHaveTextAsync("Running", new() { Timeout = 120_000 });
    }

    private static async Task SeeItOnTheHostAsync(Person staff, string name)
    {
        await staff.GoAsync($"/ops/hosts/{await HostAsync(staff, _ => true)}/inventory");
        await Assertions.Expect(staff.Page.Locator("main table").First).ToContainTextAsync(name);
        await Assertions.Expect(staff.Page.Locator("main table").First).ToContainTextAsync("running");
        await PictureTests.TakeAsync(staff.Page, "host-inventory-with-a-vm");
        await staff.Page.GetByRole(AriaRole.Link, new() { Name = $"Read the logs of {name}" }).ClickAsync();
        await Assertions.Expect(staff.Page.Locator("main .log")).ToContainTextAsync("Waiting for domain");
        await PictureTests.TakeAsync(staff.Page, "host-domain-log");
        await staff.Button("^Console").ClickAsync();
        await Assertions.Expect(staff.Page.Locator("main .log")).ToContainTextAsync("Linux version");
        await PictureTests.TakeAsync(staff.Page, "host-domain-console");
    }

    private static async Task DeleteAsync(Person tenant, string name)
    {
        await tenant.Button("More").ClickAsync();
        await tenant.Page.GetByRole(AriaRole.Menuitem, new() { Name = "Delete" }).Or(tenant.Page.Locator(".mud-menu-item", new() { HasText = "Delete" })).First.ClickAsync();
        var dialog = tenant.Page.GetByRole(AriaRole.Dialog);
        await dialog.GetByRole(AriaRole.Textbox).FillAsync(name);
        await dialog.GetByRole(AriaRole.Button, new() { NameRegex = new Regex("Delete") }).ClickAsync();
        await Assertions.Expect(tenant.Page.Locator(".page-head .status-word")).ToHaveTextAsync("Deleted", new() { Timeout = 120_000 });
    }

    private static async Task SeeNothingLeftAsync(Person staff)
    {
        var id = await HostAsync(staff, _ => true);
        var answer = await staff.Page.APIRequest.GetAsync($"/api/v1/hosts/{id}/inventory");
        using var inventory = JsonDocument.Parse(await answer.TextAsync());
        foreach (var kind in new[] { "domains", "volumes", "addresses" })
        {
            Assert.Equal(0, inventory.RootElement.GetProperty(kind).GetArrayLength());
        }
    }

    // The image is built here and copied to the host while the portal serves already.
    private static async Task<string> ReadyHostAsync(Person staff)
    {
        while (true)
        {
            if (await HostAsync(staff, host => host.GetProperty("images").EnumerateArray().Any(i => i.GetProperty("state").GetString() == "Ready") && host.GetProperty("problem").ValueKind == JsonValueKind.Null) is { } id)
            {
                return id;
            }

            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            await staff.Page.WaitForTimeoutAsync(500);
        }
    }

    private static async Task<string?> HostAsync(Person staff, Func<JsonElement, bool> good)
    {
        var answer = await staff.Page.APIRequest.GetAsync("/api/v1/hosts");
        using var hosts = JsonDocument.Parse(await answer.TextAsync());
        return hosts.RootElement.EnumerateArray().Where(good).Select(h => h.GetProperty("id").GetString()).FirstOrDefault();
    }
}
