using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Portal.Browser.Tests;

/// <summary>The main job, in a real browser, on a real machine.</summary>
[Trait("Category", "Live")]
[Collection("One browser at a time")]
public sealed class JourneyTests(RunningPortal portal, Browser browser)
{
    [Fact]
    public async Task A_tenant_orders_an_approver_agrees_the_guest_answers_on_its_console_costs_money_and_is_deleted()
    {
        await using var tenant = await browser.OpenAsync(portal);
        await using var approver = await browser.OpenAsync(portal);
        await tenant.SignInAsync(Person.Tenant);
        await approver.SignInAsync(Person.Approver);
        await HostIsReadyAsync();

        // Order: price and quota change while one types; a double click makes one order.
        await tenant.GoAsync("/t/acme/orders/new");
        await tenant.Page.GetByLabel("Name", new() { Exact = true }).FillAsync("web");
        await tenant.Page.GetByRole(AriaRole.Radio, new() { NameRegex = new Regex("^S ") }).CheckAsync();
        await Assertions.Expect(tenant.Button("Place order, 5\\.11")).ToBeVisibleAsync();
        await tenant.Button("Place order").DblClickAsync();
        await tenant.Page.WaitForURLAsync(new Regex("/t/acme/orders/[0-9a-f-]{36}"));
        await Assertions.Expect(tenant.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToContainTextAsync("Order");
        await TakePicturesAsync(tenant, "order-that-waits");

        // Approve: the queue shows it without a reload, once.
        await approver.GoAsync("/approvals");
        await Assertions.Expect(approver.Page.GetByRole(AriaRole.Link, new() { NameRegex = new Regex("Order|\\d") }).Filter(new() { HasTextRegex = new Regex("\\d") }).First).ToBeVisibleAsync();
        await approver.Page.Locator("main tbody a[href^='/approvals/']").First.ClickAsync();
        await Assertions.Expect(approver.Button("^Approve")).ToBeEnabledAsync();
        await TakePicturesAsync(approver, "decision");
        await approver.Button("^Approve").ClickAsync();
        await Assertions.Expect(approver.Button("^Approve")).ToHaveCountAsync(0);

        // Watched live by the tenant, no reload: the VM's link appears, and the VM comes to run.
        await tenant.Page.Locator("main a[href*='/vms/']").First.ClickAsync();
        await tenant.Page.WaitForURLAsync(new Regex("/vms/[0-9a-f-]{36}"));
        await Assertions.Expect(tenant.Page.Locator(".page-head .status-word")).ToHaveTextAsync("Running", new() { Timeout = 180_000 });

        await TakePicturesAsync(tenant, "vm");
        await TalkToTheGuestAsync(tenant);
        await TakePicturesAsync(tenant, "vm-console");
        await SeeTheOperationAsync(tenant);
        await TakePicturesAsync(tenant, "operation");
        await SeeTheCostAsync(tenant);
        await TakePicturesAsync(tenant, "usage-with-a-vm");
        await DeleteAsync(tenant);
    }

    private static async Task TalkToTheGuestAsync(Person tenant)
    {
        await tenant.Page.GetByRole(AriaRole.Navigation, new() { Name = "web" }).GetByRole(AriaRole.Link, new() { Name = "Console" }).ClickAsync();
        // Opened late, and yet from the first byte on.
        var screen = tenant.Page.Locator(".console-screen");
        await Assertions.Expect(screen).ToContainTextAsync("login:", new() { Timeout = 180_000 });
        await screen.ClickAsync();
        await tenant.Page.Keyboard.TypeAsync("root\n");
        await Assertions.Expect(screen).ToContainTextAsync(new Regex("[#$] ?\\s*$|[#~] "));
        await tenant.Page.Keyboard.TypeAsync("echo answer-$((6*7)) from $(hostname)\n");
        await Assertions.Expect(screen).ToContainTextAsync("answer-42 from web");

        // A reload keeps the scrollback.
        await tenant.Page.ReloadAsync();
        await Assertions.Expect(tenant.Page.Locator(".console-screen")).ToContainTextAsync("answer-42 from web");
    }

    // What only exists while a VM does; the rest is in PictureTests.
    private static Task TakePicturesAsync(Person tenant, string name) => PictureTests.TakeAsync(tenant.Page, name);

    private static async Task SeeTheOperationAsync(Person tenant)
    {
        await tenant.Page.GetByRole(AriaRole.Navigation, new() { Name = "web" }).GetByRole(AriaRole.Link, new() { Name = "Activity" }).ClickAsync();
        await tenant.SettleAsync();
        await TakePicturesAsync(tenant, "vm-activity");
        await tenant.Page.Locator("main a[href*='/operations/']").First.ClickAsync();
        await tenant.SettleAsync();
        await Assertions.Expect(tenant.Page.Locator("main")).ToContainTextAsync("Start the domain");
    }

    private static async Task SeeTheCostAsync(Person tenant)
    {
        await tenant.GoAsync("/t/acme/usage");
        var page = tenant.Page.Locator("main");
        await Assertions.Expect(page).ToContainTextAsync("web");
        await Assertions.Expect(page).ToContainTextAsync(new Regex("0\\.0060000000"));
    }

    private static async Task DeleteAsync(Person tenant)
    {
        await tenant.GoAsync("/t/acme/vms");
        await tenant.Page.Locator("main a[href*='/vms/']").First.ClickAsync();
        await tenant.SettleAsync();
        await tenant.Button("More").ClickAsync();
        await tenant.Page.GetByRole(AriaRole.Menuitem, new() { Name = "Delete" }).Or(tenant.Page.Locator(".mud-menu-item", new() { HasText = "Delete" })).First.ClickAsync();
        var dialog = tenant.Page.GetByRole(AriaRole.Dialog);
        var confirm = dialog.GetByRole(AriaRole.Button, new() { NameRegex = new Regex("Delete") });
        await dialog.GetByRole(AriaRole.Textbox).FillAsync("we");
        await Assertions.Expect(confirm).ToBeDisabledAsync();
        await dialog.GetByRole(AriaRole.Textbox).FillAsync("web");
        await confirm.ClickAsync();
        await Assertions.Expect(tenant.Page.Locator(".page-head .status-word")).ToHaveTextAsync("Deleted", new() { Timeout = 120_000 });
    }

    // The host's image is built while the portal serves already; and the run says on what it ran.
    private async Task HostIsReadyAsync()
    {
        await using var operatorPerson = await browser.OpenAsync(portal);
        await operatorPerson.SignInAsync(Person.Administrator);
        string hosts;
        do
        {
            var answer = await operatorPerson.Page.APIRequest.GetAsync("/api/v1/setup");
            hosts = await answer.TextAsync();
            using var rows = JsonDocument.Parse(hosts);
            if (rows.RootElement.EnumerateArray().Where(r => r.GetProperty("step").GetString() is "Host" or "Template").All(r => r.GetProperty("done").GetBoolean()))
            {
                TestContext.Current.SendDiagnosticMessage(hosts);
                TestContext.Current.TestOutputHelper?.WriteLine($"Engine: {rows.RootElement.EnumerateArray().First().GetProperty("fact").GetString()}");
                return;
            }

            await operatorPerson.Page.WaitForTimeoutAsync(500);
        }
        while (!TestContext.Current.CancellationToken.IsCancellationRequested);
    }
}
