using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Portal.Browser.Tests;

/// <summary>Order forms that are kept.</summary>
[Trait("Category", "Live")]
[Collection("One browser at a time")]
public sealed class SavedOrderTests(RunningPortal portal, Browser browser)
{
    [Fact]
    public async Task A_form_is_kept_gone_on_with_after_a_reload_and_the_ten_servers_are_opened_as_an_order()
    {
        await using var person = await browser.OpenAsync(portal);
        await person.SignInAsync(Person.Tenant);
        await person.GoAsync("/t/acme/orders/new?name=shop-{n}&count=2&note=For+the+shop");
        await person.Page.GetByText("User data (optional)").ClickAsync();
        await person.Page.GetByLabel("User data", new() { Exact = true }).FillAsync("#!/bin/sh\ntouch /shop\n");
        await person.Page.GetByText("Keep this form for later").ClickAsync();
        var name = person.Page.GetByLabel("Name of the draft");
        await person.Button("^Keep as draft").ClickAsync();
        await Assertions.Expect(person.Page.GetByText("A name has 1 to 60 characters.")).ToBeVisibleAsync();
        await name.FillAsync("Shop");
        await PictureTests.TakeAsync(person.Page, "order-kept");
        await person.Button("^Keep as draft").ClickAsync();
        await person.Page.WaitForURLAsync(new Regex("[?&]from=[0-9a-f-]{36}"));

        await person.GoAsync("/t/acme/orders/saved");
        await Assertions.Expect(person.Page.Locator("main")).ToContainTextAsync("5 x Custom");
        await PictureTests.TakeAsync(person.Page, "orders-saved");
        await person.Page.GetByRole(AriaRole.Link, new() { Name = "Go on Shop" }).ClickAsync();
        await Assertions.Expect(person.Page.GetByLabel("User data", new() { Exact = true })).ToHaveValueAsync("#!/bin/sh\ntouch /shop\n");
        await person.Page.ReloadAsync();
        // The address has what may stand in it; the rest comes from what was kept.
        await Assertions.Expect(person.Page.GetByLabel("User data", new() { Exact = true })).ToHaveValueAsync("#!/bin/sh\ntouch /shop\n");
        await Assertions.Expect(person.Page.GetByLabel(new Regex("^Note to"))).ToHaveValueAsync("For the shop");

        await person.GoAsync("/t/acme/orders/saved");
        await person.Page.GetByRole(AriaRole.Link, new() { Name = "Order Ten servers" }).ClickAsync();
        await Assertions.Expect(person.Page.Locator(".line-row")).ToHaveCountAsync(6);
        await Assertions.Expect(person.Page.Locator(".sum h2")).ToHaveTextAsync("10 VMs");
        await PictureTests.TakeAsync(person.Page, "order-of-ten-servers");
    }
}
