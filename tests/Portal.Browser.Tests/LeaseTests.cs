using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Portal.Browser.Tests;

/// <summary>A VM that ends on a day, from the order to the calendar.</summary>
[Trait("Category", "Live")]
[Collection("One browser at a time")]
public sealed class LeaseTests(ClonesPortal portal, Browser browser) : IClassFixture<ClonesPortal>
{
    [Fact]
    public async Task A_last_day_is_ordered_shown_brought_forward_and_more_time_is_asked_for()
    {
        await using var person = await browser.OpenAsync(portal);
        await using var staff = await browser.OpenAsync(portal);
        await person.SignInAsync(Person.Tenant);
        await staff.SignInAsync(Person.Administrator);
        var last = TimeProvider.System.GetUtcNow().UtcDateTime.Date.AddDays(30);
        static string Field(DateTime day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        static string Word(DateTime day) => day.ToString("d MMM yyyy", CultureInfo.InvariantCulture);

        await person.GoAsync("/t/acme/orders/new?name=leased");
        await person.Page.GetByLabel("Last day (optional)").FillAsync(Field(last.AddDays(-32)));
        await Assertions.Expect(person.Page.GetByText("That day is over. Choose a later one.")).ToBeVisibleAsync();
        await person.Page.GetByLabel("Last day (optional)").FillAsync(Field(last));
        await Assertions.Expect(person.Page.GetByText($"deleted on {Word(last.AddDays(8))}")).ToBeVisibleAsync();
        await PictureTests.TakeAsync(person.Page, "order-with-last-day");
        await person.Button("Place order, ").ClickAsync();
        await person.Page.WaitForURLAsync(new Regex("/t/acme/orders/[0-9a-f-]{36}"));
        await Assertions.Expect(person.Page.Locator("main")).ToContainTextAsync($"Until the end of {Word(last)} (UTC)");
        await staff.GoAsync("/approvals");
        await staff.Page.Locator("main tbody a[href^='/approvals/']").First.ClickAsync();
        await staff.Button("^Approve").ClickAsync();
        await person.Page.Locator("main a[href*='/vms/']").First.ClickAsync();
        await person.Page.WaitForURLAsync(new Regex("/vms/[0-9a-f-]{36}"));
        await Assertions.Expect(person.Page.Locator(".page-head .status-word")).ToHaveTextAsync("Running");
        var vm = person.Page.Url;

        // Earlier holds at once, once it was meant.
        await person.Page.GetByLabel("Last day").FillAsync(Field(last.AddDays(-10)));
        await person.Button("^Set last day").ClickAsync();
        await person.Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { NameRegex = new Regex("^End it on") }).ClickAsync();
        await Assertions.Expect(person.Page.Locator("main")).ToContainTextAsync($"Its last day is {Word(last.AddDays(-10))}");
        await Assertions.Expect(person.Page.Locator("main")).ToContainTextAsync("30 % of the time");
        await person.Button("^Save schedule").ClickAsync();
        await Assertions.Expect(person.Page.Locator("main")).ToContainTextAsync("Runs Mon, Tue, Wed, Thu, Fri 08:00 to 18:00");
        await PictureTests.TakeAsync(person.Page, "vm-lease");
        await person.GoAsync("/t/acme/leases");
        await Assertions.Expect(person.Page.Locator("main tbody tr")).ToHaveCountAsync(2);
        await PictureTests.TakeAsync(person.Page, "leases");

        // Later is an order.
        await person.GoAsync(new Uri(vm).AbsolutePath);
        await person.Page.GetByLabel("Last day").FillAsync(Field(last.AddDays(60)));
        await person.Page.GetByLabel("Note to the approver (optional)").FillAsync("The fair was put off");
        await person.Button("^Ask for more time").ClickAsync();
        await person.Page.WaitForURLAsync(new Regex("/t/acme/orders/[0-9a-f-]{36}"));
        await Assertions.Expect(person.Page.Locator("main")).ToContainTextAsync("More time for leased");
        await PictureTests.TakeAsync(person.Page, "order-of-more-time");
        await staff.GoAsync("/approvals");
        await staff.Page.Locator("main tbody a[href^='/approvals/']").First.ClickAsync();
        await staff.Button("^Approve").WaitForAsync();
        await PictureTests.TakeAsync(staff.Page, "decision-on-more-time");
        await staff.Button("^Approve").ClickAsync();
        await person.GoAsync(new Uri(vm).AbsolutePath);
        await Assertions.Expect(person.Page.Locator("main")).ToContainTextAsync($"Its last day is {Word(last.AddDays(60))}");
    }
}
