using Microsoft.Playwright;

namespace Portal.Browser.Tests;

/// <summary>What is paused or has a stock, as a biller sets it and a tenant sees it; and what a tenant has left.</summary>
[Trait("Category", "Live")]
[Collection("One browser at a time")]
public sealed class CatalogueTests(RunningPortal portal, Browser browser)
{
    [Fact]
    public async Task A_paused_plan_and_a_stock_show_in_the_order_form_and_the_quota_page_says_what_is_left()
    {
        await using var staff = await browser.OpenAsync(portal);
        await staff.SignInAsync(Person.Administrator);
        await staff.GoAsync("/billing/plans");
        await ChangePlanAsync(staff, "L", "New hosts come on Monday.", "");
        await ChangePlanAsync(staff, "S", "", "3");
        await Assertions.Expect(staff.Page.GetByText("3 of 3 left")).ToBeVisibleAsync();
        await staff.Button("Change S").ClickAsync();
        await PictureTests.TakeAsync(staff.Page, "plan-stock");
        await staff.GoAsync("/ops/templates");
        await staff.Button("Change Tiny Linux").ClickAsync();
        await staff.Page.GetByLabel("Only for the tenants chosen here").CheckAsync();
        await PictureTests.TakeAsync(staff.Page, "template-form");
        await staff.Button("Cancel").ClickAsync();
        await staff.Page.GetByText("Changes", new() { Exact = true }).First.ClickAsync();
        await staff.SettleAsync();
        await PictureTests.TakeAsync(staff.Page, "template-changes");

        await using var tenant = await browser.OpenAsync(portal);
        await tenant.SignInAsync(Person.Tenant);
        await tenant.GoAsync("/t/acme/orders/new?name=web&plan=S&count=4");
        await Assertions.Expect(tenant.Page.GetByText("Paused: New hosts come on Monday.")).ToBeVisibleAsync();
        await Assertions.Expect(tenant.Page.Locator(".sum .refusal").Filter(new() { HasText = "Of plan S there are 3 left, 4 asked." })).ToHaveCountAsync(1);
        await PictureTests.TakeAsync(tenant.Page, "order-form-paused");
        await staff.GoAsync("/billing/plans");
        await ChangePlanAsync(staff, "L", "", "");
        await ChangePlanAsync(staff, "S", "", "");

        await staff.GoAsync("/t/acme/quota");
        await staff.Button("Change limit").ClickAsync();
        await staff.Page.GetByLabel("Limit, EUR a month").FillAsync("250");
        await staff.Page.GetByLabel("Beyond it").SelectOptionAsync("BlockOrders");
        await staff.Button("Save").ClickAsync();
        await Assertions.Expect(staff.Page.GetByText("Beyond it: no order is taken")).ToBeVisibleAsync();
        await PictureTests.TakeAsync(staff.Page, "quota");
    }

    private static async Task ChangePlanAsync(Person staff, string plan, string paused, string stock)
    {
        await staff.Page.GetByRole(AriaRole.Button, new() { Name = $"Change {plan}", Exact = true }).ClickAsync();
        await staff.Page.GetByLabel("Paused, because").FillAsync(paused);
        await staff.Page.GetByLabel("VMs of it at once, at most").FillAsync(stock);
        await staff.Page.GetByLabel("VMs of it at once, at most").BlurAsync();
        await staff.Button("Save").ClickAsync();
        await Assertions.Expect(staff.Page.Locator("#edit-head")).ToHaveCountAsync(0);
    }
}
