using System.Text.RegularExpressions;
using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(Portal.Browser.Tests.Browser))]

namespace Portal.Browser.Tests;

/// <summary>Debian's Chromium, once for the whole run.</summary>
public sealed class Browser : IAsyncLifetime
{
    private IPlaywright _playwright = default!;
    private IBrowser _browser = default!;

    public async ValueTask InitializeAsync()
    {
        // Two cores that also emulate a machine: slow is not wrong.
        Assertions.SetDefaultExpectTimeout(60_000);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = "/usr/bin/chromium",
            // As root Chromium has no sandbox; the rest keeps it from calling home.
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }

    /// <summary>A person at a browser of its own, not signed in yet.</summary>
    public async Task<Person> OpenAsync(StartedPortal portal, int width = 1440, string theme = "light")
    {
        var context = await _browser.NewContextAsync(new()
        {
            BaseURL = portal.Address.ToString(),
            ViewportSize = new() { Width = width, Height = width < 600 ? 844 : 900 },
            ColorScheme = theme == "dark" ? ColorScheme.Dark : ColorScheme.Light,
            ReducedMotion = ReducedMotion.Reduce,
            Locale = "en-GB",
            TimezoneId = "UTC",
        });
        // Two cores that also emulate a machine: slow is not wrong.
        context.SetDefaultTimeout(60_000);
        return new Person(portal, context, await context.NewPageAsync());
    }
}

/// <summary>What a person does at a browser, in the person's words.</summary>
public sealed class Person(StartedPortal portal, IBrowserContext context, IPage page) : IAsyncDisposable
{
    public const string Tenant = "tenant@portal.example";
    public const string Approver = "approver@portal.example";
    public const string Administrator = "admin@portal.example";

    public IPage Page => page;

    public async Task SignInAsync(string email)
    {
        await page.GotoAsync("/account/sign-in");
        await page.GetByLabel("E-mail").FillAsync(email);
        await page.GetByLabel("Password").FillAsync(portal.Accounts[email]);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await page.WaitForURLAsync(url => !url.Contains("/account/sign-in", StringComparison.Ordinal));
    }

    /// <summary>Opens a page and waits until it answers to clicks and has what it shows.</summary>
    public async Task GoAsync(string path)
    {
        await page.GotoAsync(path);
        await SettleAsync();
    }

    public async Task SettleAsync()
    {
        // What the server wrote first goes for a moment when the circuit takes over, the title among it.
        await Assertions.Expect(page.Locator(".page-head:not([data-live])")).ToHaveCountAsync(0);
        await Assertions.Expect(page).ToHaveTitleAsync(new Regex(" - Portal$"));
        await page.GetByRole(AriaRole.Heading, new() { Level = 1 }).First.WaitForAsync();
        await Assertions.Expect(page.Locator("[aria-busy=true]")).ToHaveCountAsync(0);
    }

    public ILocator Button(string name) => page.GetByRole(AriaRole.Button, new() { NameRegex = new Regex(name) }).First;

    public ILocator Text(string text) => page.GetByText(text).First;

    public async ValueTask DisposeAsync() => await context.DisposeAsync();
}
