using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Portal.Browser.Tests;

/// <summary>An operator gives a VM a disk of its own, and a biller looks at a plan whose size is chosen: pages that need no real machine.</summary>
[Trait("Category", "Live")]
[Collection("One browser at a time")]
public sealed class DetachTests(ClonesPortal portal, Browser browser) : IClassFixture<ClonesPortal>
{
    [Fact]
    public async Task An_operator_sees_what_a_disk_is_a_clone_of_what_detaching_it_does_and_that_it_was_done()
    {
        await using var tenant = await browser.OpenAsync(portal);
        await using var staff = await browser.OpenAsync(portal);
        await tenant.SignInAsync(Person.Tenant);
        await staff.SignInAsync(Person.Administrator);

        // A size of its own: three fields more, and a price that follows them.
        await tenant.GoAsync("/t/acme/orders/new?name=clone&plan=Custom&size=2-512-2");
        await Assertions.Expect(tenant.Button("Place order, ")).ToBeEnabledAsync();
        await tenant.Page.GetByText(new Regex("hosts? (has|have) room")).WaitForAsync();
        await PictureTests.TakeAsync(tenant.Page, "order-of-a-size");
        await tenant.Button("Place order, ").ClickAsync();
        await tenant.Page.WaitForURLAsync(new Regex("/t/acme/orders/[0-9a-f-]{36}"));
        await staff.GoAsync("/approvals");
        await staff.Page.Locator("main tbody a[href^='/approvals/']").First.ClickAsync();
        await staff.Button("^Approve").ClickAsync();
        await tenant.Page.Locator("main a[href*='/vms/']").First.ClickAsync();
        await tenant.Page.WaitForURLAsync(new Regex("/vms/[0-9a-f-]{36}"));
        await Assertions.Expect(tenant.Page.Locator(".page-head .status-word")).ToHaveTextAsync("Running");

        using var tenants = JsonDocument.Parse(await (await staff.Page.APIRequest.GetAsync("/api/v1/tenants")).TextAsync());
        var acme = tenants.RootElement.EnumerateArray().Single(t => t.GetProperty("slug").GetString() == "acme").GetProperty("id").GetString();
        await staff.GoAsync($"/ops/tenants/{acme}/vms/{tenant.Page.Url.Split('/')[^1].Split('?')[0]}/detach");
        await Assertions.Expect(staff.Page.Locator("main")).ToContainTextAsync("tiny-linux-");
        await PictureTests.TakeAsync(staff.Page, "vm-detach");
        await staff.Button("^Detach clone").ClickAsync();
        await staff.Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Detach clone" }).ClickAsync();
        await staff.Page.WaitForURLAsync(new Regex("/operations/[0-9a-f-]{36}"));
        await Assertions.Expect(staff.Page.Locator(".page-head .status-word")).ToHaveTextAsync("Done");
        await PictureTests.TakeAsync(staff.Page, "operation-of-a-detaching");
        await Assertions.Expect(tenant.Page.Locator(".page-head .status-word")).ToHaveTextAsync("Running");
    }

    [Fact]
    public async Task A_plan_whose_size_is_chosen_says_from_what_to_what_and_at_which_price()
    {
        await using var staff = await browser.OpenAsync(portal);
        await staff.SignInAsync(Person.Administrator);
        await staff.GoAsync("/billing/plans");

        await staff.Page.GetByRole(AriaRole.Button, new() { Name = "Change Custom" }).ClickAsync();

        await Assertions.Expect(staff.Page.Locator("main form")).ToContainTextAsync("the largest");
        await PictureTests.TakeAsync(staff.Page, "billing-plan-custom");
        await staff.Page.GetByLabel("vCPU, at most").FillAsync("0");
        await staff.Page.GetByLabel("vCPU, at most").BlurAsync();
        await staff.Button("^Save").ClickAsync();
        await Assertions.Expect(staff.Page.Locator("main form")).ToContainTextAsync("From the smallest number of vCPUs to 256.");
    }
}
