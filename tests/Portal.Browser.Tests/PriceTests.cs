using Microsoft.Playwright;

namespace Portal.Browser.Tests;

/// <summary>A biller sets prices and tax; a tenant sees them where it orders.</summary>
[Trait("Category", "Live")]
[Collection("One browser at a time")]
public sealed class PriceTests(RunningPortal portal, Browser browser)
{
    [Fact]
    public async Task A_price_for_one_tenant_a_scheduled_one_and_tax_show_where_it_orders()
    {
        await using var biller = await browser.OpenAsync(portal);
        await biller.SignInAsync(Person.Administrator);
        await biller.GoAsync("/billing/plans");
        await biller.Page.GetByRole(AriaRole.Link, new() { Name = "M", Exact = true }).ClickAsync();
        await biller.SettleAsync();

        await biller.Button("New price").ClickAsync();
        await biller.Page.GetByLabel("For", new() { Exact = true }).SelectOptionAsync(new SelectOptionValue { Label = "ACME alone, in EUR" });
        await biller.Page.GetByLabel("Running, EUR an hour").FillAsync("0.0100000000");
        await biller.Page.GetByLabel("Setup, EUR once").FillAsync("4.5");
        await PictureTests.TakeAsync(biller.Page, "price-new");
        await biller.Button("Set from now on").ClickAsync();
        await Assertions.Expect(biller.Page.GetByRole(AriaRole.Region, new() { Name = "Now" }).GetByText("ACME")).ToBeVisibleAsync();

        await biller.Button("New price").ClickAsync();
        await biller.Page.GetByLabel("From, UTC").FillAsync("yesterday");
        await biller.Button("Schedule").ClickAsync();
        await Assertions.Expect(biller.Page.GetByText("A day is written 2027-01-01").First).ToBeVisibleAsync();
        await biller.Page.GetByLabel("From, UTC").FillAsync("2034-01-01");
        await biller.Page.GetByLabel("Running, EUR an hour").FillAsync("0.0150000000");
        await biller.Button("Schedule").ClickAsync();
        await Assertions.Expect(biller.Page.GetByRole(AriaRole.Region, new() { Name = "Scheduled" }).GetByText("1 Jan 2034")).ToBeVisibleAsync();
        await PictureTests.TakeAsync(biller.Page, "prices");

        await biller.GoAsync("/billing/tax");
        await biller.Button("New rate for ACME").ClickAsync();
        await biller.Page.GetByLabel("Rate, %").FillAsync("19");
        await biller.Button("Set from now on").ClickAsync();
        await Assertions.Expect(biller.Page.GetByRole(AriaRole.Cell, new() { Name = "19" }).First).ToBeVisibleAsync();
        await PictureTests.TakeAsync(biller.Page, "tax");

        await using var tenant = await browser.OpenAsync(portal);
        await tenant.SignInAsync(Person.Tenant);
        await tenant.GoAsync("/t/acme/orders/new?name=web&plan=M&count=2");
        await Assertions.Expect(tenant.Page.Locator(".sum").GetByText("9.00\u00a0EUR once for setup")).ToBeVisibleAsync();
        await Assertions.Expect(tenant.Page.Locator(".sum").GetByText("19\u00a0% tax")).ToBeVisibleAsync();
        await PictureTests.TakeAsync(tenant.Page, "order-form-tax");
    }
}
