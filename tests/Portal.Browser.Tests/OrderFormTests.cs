using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Portal.Browser.Tests;

/// <summary>What the order form says to what cannot be.</summary>
[Trait("Category", "Live")]
[Collection("One browser at a time")]
public sealed class OrderFormTests(RunningPortal portal, Browser browser)
{
    [Fact]
    public async Task A_count_out_of_range_and_a_private_key_are_told_at_their_fields_and_the_key_is_gone()
    {
        await using var person = await browser.OpenAsync(portal);
        await person.SignInAsync(Person.Tenant);
        await person.GoAsync("/t/acme/orders/new?name=web");
        var count = person.Page.GetByRole(AriaRole.Spinbutton, new() { Name = "Count" });
        foreach (var wrong in new[] { "0", "51", "99999999999" })
        {
            await count.FillAsync(wrong);
            await Assertions.Expect(count).ToHaveAttributeAsync("aria-invalid", "true");
            await Assertions.Expect(person.Page.GetByText("A line has 1 to 50 VMs.").First).ToBeVisibleAsync();
        }

        await PictureTests.SaveAsync(person.Page, "order-form-wrong-light-1440.png");
        await count.FillAsync("2");
        await Assertions.Expect(count).Not.ToHaveAttributeAsync("aria-invalid", "true");
        await Assertions.Expect(person.Button("Place order, ")).ToBeEnabledAsync();

        var keys = person.Page.GetByLabel(new Regex("^Paste a"));
        await keys.FillAsync("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----");
        await Assertions.Expect(person.Page.GetByText("That is a private key").First).ToBeVisibleAsync();
        await Assertions.Expect(keys).ToHaveValueAsync("");
        Assert.DoesNotContain("PRIVATE", person.Page.Url, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_order_beyond_the_quota_says_so_once_and_cannot_be_placed()
    {
        await using var person = await browser.OpenAsync(portal);
        await person.SignInAsync(Person.Tenant);
        await person.GoAsync("/t/acme/orders/new?name=web&count=30");

        await Assertions.Expect(person.Button("Place order")).ToBeDisabledAsync();
        await Assertions.Expect(person.Page.Locator(".sum .refusal").Filter(new() { HasText = "Quota of" })).ToHaveCountAsync(1);
        await PictureTests.SaveAsync(person.Page, "order-form-quota-light-1440.png");
    }
}
