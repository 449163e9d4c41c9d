using System.Text;
using System.Text.RegularExpressions;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Portal.Browser.Tests;

/// <summary>
/// Every page in both themes at 1440 and 390 pixels: written to tests/pictures/ with an index, to be looked at; and held to what a program can see: no sideways
/// scrolling, one h1, and none of axe's serious findings.
/// </summary>
[Trait("Category", "Live")]
[Collection("One browser at a time")]
public sealed class PictureTests(RunningPortal portal, Browser browser)
{
    private static readonly string s_folder = Path.Combine(RunningPortal.Root, "tests", "pictures");

    public static TheoryData<string, string, int> Looks => new()
    {
        { "light", Person.Tenant, 1440 }, { "dark", Person.Tenant, 1440 }, { "light", Person.Tenant, 390 }, { "dark", Person.Tenant, 390 },
        { "light", Person.Administrator, 1440 }, { "dark", Person.Administrator, 1440 }, { "light", Person.Administrator, 390 }, { "dark", Person.Administrator, 390 },
    };

    [Theory]
    [MemberData(nameof(Looks))]
    public async Task Every_page_fits_is_named_and_is_accessible(string theme, string who, int width)
    {
        await using var person = await browser.OpenAsync(portal, width, theme);
        var problems = new List<string>();
        foreach (var page in new[] { "sign-in", "lost-password", "new-password" })
        {
            await person.Page.GotoAsync($"/account/{page}");
            await LookAsync(person, page, theme, width, problems);
        }

        await person.SignInAsync(who);
        if (who == Person.Tenant)
        {
            // A portal that has just begun builds its first image: what an order can have changes while one looks, and no picture of that would be twice the same.
            await person.GoAsync(NewOrder);
            await person.Page.GetByText(new Regex("hosts? (has|have) room")).WaitForAsync();
        }

        foreach (var path in who == Person.Tenant ? TenantPages : StaffPages)
        {
            await person.GoAsync(path);
            await LookAsync(person, NameOf(path), theme, width, problems);
        }

        await WriteIndexAsync();
        Assert.True(problems.Count == 0, string.Join('\n', problems));
    }

    private const string NewOrder = "/t/acme/orders/new?name=web&plan=M&count=3";

    // The article's servers, each of a size of its own.
    private const string SeveralLines =
        "/t/acme/orders/new?template=tiny-linux&plan=Custom&name=apache-{n}&count=5&size=1-256-5&template=tiny-linux&plan=Custom&name=mail&count=1&size=1-512-10&template=tiny-linux&plan=M&name=&count=1&size=";

    private const string Capacity = "/ops/capacity?servers=5+x+Apache%2C+256+MB%2C+5+GB%0A1+x+MySQL%2C+256+MB%2C+3+GB%0A1+x+POP3+and+IMAP%2C+512+MB%2C+10+GB";

    private static string NameOf(string path) => path switch
    {
        "/" => "home",
        SeveralLines => "t-acme-orders-new-several",
        Capacity => "ops-capacity-answer",
        _ => path.Split('?')[0].Trim('/').Replace('/', '-'),
    };

    private static IReadOnlyList<string> TenantPages { get; } =
    [
        "/t/acme", "/t/acme/vms", "/t/acme/orders", "/t/acme/orders/saved", "/t/acme/leases", NewOrder, SeveralLines, "/t/acme/usage", "/t/acme/quota", "/t/acme/members", "/t/acme/keys", "/t/acme/policy", "/t/acme/audit", "/account/password", "/nowhere",
    ];

    private static IReadOnlyList<string> StaffPages { get; } =
    [
        "/approvals", "/approvals/all", "/approvals/decided", "/ops/hosts", "/ops/hosts/new", "/ops/capacity", Capacity, "/ops/operations", "/ops/templates", "/billing/plans", "/billing/tax", "/admin/setup", "/admin/tenants", "/admin/policies", "/admin/policies/platform", "/admin/policies/of/acme", "/admin/people", "/admin/audit",
    ];

    /// <summary>Writes pictures of the page that is open, in both themes and at both widths, and leaves it light and wide.</summary>
    internal static async Task TakeAsync(IPage page, string name)
    {
        foreach (var theme in new[] { ColorScheme.Light, ColorScheme.Dark })
        {
            foreach (var width in new[] { 390, 1440 })
            {
                await page.EmulateMediaAsync(new() { ColorScheme = theme });
                await page.SetViewportSizeAsync(width, width < 600 ? 844 : 900);
                // The rail goes and comes with the width.
                await page.Locator(width < 960 ? ".rail.mud-drawer--closed" : ".rail.mud-drawer--open").WaitForAsync(new() { State = WaitForSelectorState.Attached });
                await SaveAsync(page, $"{name}-{theme}-{width}.png".ToLowerInvariant());
            }
        }

        await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
    }

    /// <summary>Writes a picture of the whole page.</summary>
    internal static async Task SaveAsync(IPage page, string file)
    {
        Directory.CreateDirectory(s_folder);
        await page.ScreenshotAsync(new() { Path = Path.Combine(s_folder, file), FullPage = true });
    }

    private static async Task LookAsync(Person person, string name, string theme, int width, List<string> problems)
    {
        var file = $"{Regex.Replace(name, "[^a-z0-9-]+", "-")}-{theme}-{width}.png";
        await SaveAsync(person.Page, file);
        var over = await person.Page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        if (over > 0)
        {
            problems.Add($"{file}: {over} px wider than the screen");
        }

        var headings = await person.Page.GetByRole(AriaRole.Heading, new() { Level = 1 }).CountAsync();
        if (headings != 1)
        {
            problems.Add($"{file}: {headings} h1");
        }

        // A button that has just become one to press has for a frame the colours of before, however short its transition.
        await person.Page.WaitForFunctionAsync("() => document.getAnimations().every(a => a.playState !== 'running')");
        var axe = await person.Page.RunAxe();
        problems.AddRange(axe.Violations.Where(v => v.Impact is "serious" or "critical")
            .Select(v => $"{file}: {v.Id} x{v.Nodes.Length} ({v.Help}), first: {v.Nodes[0].Html[..Math.Min(160, v.Nodes[0].Html.Length)]}"));
    }

    private static async Task WriteIndexAsync()
    {
        var html = new StringBuilder("<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>Pictures of every page</title><h1>Pictures of every page</h1>");
        foreach (var file in Directory.EnumerateFiles(s_folder, "*.png").Select(Path.GetFileName).Order(StringComparer.Ordinal))
        {
            html.Append(System.Globalization.CultureInfo.InvariantCulture, $"<figure style=\"display:inline-block;vertical-align:top;margin:8px\"><a href=\"{file}\"><img src=\"{file}\" width=\"360\" loading=\"lazy\" alt=\"{file}\"></a><figcaption>{file}</figcaption></figure>");
        }

        await File.WriteAllTextAsync(Path.Combine(s_folder, "index.html"), html.ToString());
    }
}
