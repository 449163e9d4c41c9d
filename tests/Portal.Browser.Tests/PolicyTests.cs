using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Portal.Browser.Tests;

/// <summary>Who must agree to what: an owner writes the tenant's side, orders, decides as the first, and the provider's people as the second.</summary>
[Trait("Category", "Live")]
[Collection("One browser at a time")]
public sealed class PolicyTests(RunningPortal portal, Browser browser)
{
    [Fact]
    public async Task A_policy_is_written_tried_and_asked_and_its_steps_are_seen_by_all()
    {
        await using var owner = await browser.OpenAsync(portal);
        await using var approver = await browser.OpenAsync(portal);
        await using var administrator = await browser.OpenAsync(portal);
        await owner.SignInAsync(Person.Tenant);
        await approver.SignInAsync(Person.Approver);
        await administrator.SignInAsync(Person.Administrator);
        await owner.GoAsync("/t/acme/orders/new?name=before&plan=S&count=2");
        await PlaceAsync(owner);
        var before = owner.Page.Url;

        // The tenant's side: under limits by itself, else its owner.
        await owner.GoAsync("/t/acme/policy");
        await PictureTests.TakeAsync(owner.Page, "policy-tenant-none");
        await owner.Button("Write a policy").ClickAsync();
        await owner.Page.GetByRole(AriaRole.Radio, new() { NameRegex = new Regex("^Under limits") }).CheckAsync();
        await owner.Page.GetByLabel("Cost of a month").FillAsync("4");
        await owner.Button("Add a step").ClickAsync();
        await owner.Page.GetByLabel("Name of the step").FillAsync("Spending");
        await owner.Page.GetByLabel("Add to step 1").SelectOptionAsync("role:Owner");
        await owner.Page.GetByLabel("Never who placed the order").UncheckAsync();
        await owner.Button("Try it on past orders").ClickAsync();
        await Assertions.Expect(owner.Page.GetByText(new Regex("Would have been approved by itself: \\d+ of \\d+"))).ToBeVisibleAsync();
        await PictureTests.TakeAsync(owner.Page, "policy-tenant-editor");
        await owner.Button("Save version").ClickAsync();
        await Assertions.Expect(owner.Page.GetByText("It says yes by itself to an order that costs at most").First).ToBeVisibleAsync();
        await PictureTests.TakeAsync(owner.Page, "policy-tenant");

        // The provider's: two steps at once and one after, tried by an administrator, not saved.
        await administrator.GoAsync("/admin/policies/platform");
        await administrator.Button("^Edit").ClickAsync();
        await administrator.Page.GetByRole(AriaRole.Radio, new() { NameRegex = new Regex("^Under limits") }).CheckAsync();
        await administrator.Page.GetByLabel("Cost of a month").FillAsync("20");
        await administrator.Button("Add a step").ClickAsync();
        await administrator.Page.GetByLabel("Name of the step").Last.FillAsync("Capacity");
        await administrator.Page.GetByLabel("Asked", new() { Exact = true }).SelectOptionAsync("with");
        await administrator.Page.GetByLabel("Add to step 2").SelectOptionAsync("role:Operator");
        await administrator.Button("Try it on past orders").ClickAsync();
        await Assertions.Expect(administrator.Page.GetByText(new Regex("Would have been approved by itself: [1-9]\\d* of \\d+"))).ToBeVisibleAsync();
        await PictureTests.TakeAsync(administrator.Page, "policy-platform-editor");

        // Both sides are asked, one after the other.
        await owner.GoAsync("/t/acme/orders/new?name=asked&plan=S&count=2");
        await Assertions.Expect(owner.Page.GetByText(new Regex("Asks an owner of the tenant \\(Spending\\)"))).ToBeVisibleAsync();
        await PictureTests.TakeAsync(owner.Page, "order-form-asks");
        await PlaceAsync(owner);
        var order = owner.Page.Url.Split('/')[^1];
        await approver.GoAsync("/approvals");
        await Assertions.Expect(approver.Page.Locator($"main table a[href$='{order}']")).ToHaveCountAsync(0);
        await owner.GoAsync("/approvals");
        await PictureTests.TakeAsync(owner.Page, "approvals-owner");
        await owner.Page.Locator($"main table a[href$='{order}']").ClickAsync();
        await owner.SettleAsync();
        await PictureTests.TakeAsync(owner.Page, "decision-first-step");
        await owner.Button("^Approve this step").ClickAsync();
        await Assertions.Expect(owner.Page.GetByText("This is your own order").First).ToBeVisibleAsync();

        await Assertions.Expect(approver.Page.Locator($"main table a[href$='{order}']")).ToHaveCountAsync(1);
        await approver.GoAsync("/approvals/all");
        await PictureTests.TakeAsync(approver.Page, "approvals-all");
        await approver.GoAsync($"/approvals/{order}");
        await approver.Page.GetByLabel("Comment", new() { Exact = true }).FillAsync("What are they for?");
        await approver.Button("^Ask, and stop the clock").ClickAsync();
        await Assertions.Expect(approver.Page.GetByText("it waits for an answer")).ToBeVisibleAsync();
        await owner.GoAsync($"/t/acme/orders/{order}");
        await owner.Page.GetByLabel("Your answer").FillAsync("For the shop, until the end of the year.");
        await owner.Button("^Answer").ClickAsync();
        await PictureTests.TakeAsync(owner.Page, "order-answered");
        await Assertions.Expect(approver.Page.GetByText("For the shop, until the end of the year.")).ToBeVisibleAsync();
        await PictureTests.TakeAsync(approver.Page, "decision-last-step");
        await approver.Page.GetByLabel(new Regex("^Reason")).FillAsync("Not before next month.");
        await approver.Button("^Deny").ClickAsync();
        await Assertions.Expect(approver.Button("^Deny")).ToHaveCountAsync(0);
        await owner.GoAsync($"/t/acme/orders/{order}");
        await PictureTests.TakeAsync(owner.Page, "order-denied-steps");

        // Left as it was found: other tests order here.
        await owner.GoAsync("/t/acme/policy");
        await owner.Button("^Edit").ClickAsync();
        await owner.Button("^Ask nobody again").ClickAsync();
        await owner.Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Ask nobody" }).ClickAsync();
        await Assertions.Expect(owner.Page.GetByText("Took the policy back.")).ToBeVisibleAsync();
        await owner.GoAsync(new Uri(before).AbsolutePath);
        await owner.Button("^Cancel order").ClickAsync();
        await owner.Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Cancel the order" }).ClickAsync();
        await Assertions.Expect(owner.Page.Locator(".page-head .status-word")).ToHaveTextAsync("Cancelled");
    }

    private static async Task PlaceAsync(Person person)
    {
        await Assertions.Expect(person.Button("Place order, ")).ToBeEnabledAsync();
        await person.Button("Place order, ").ClickAsync();
        await person.Page.WaitForURLAsync(new Regex("/t/acme/orders/[0-9a-f-]{36}"));
        await person.SettleAsync();
    }
}
