using Bunit;
using Portal.Kernel;
using Portal.Web.Components.Shared;

namespace Portal.Web.Tests.Components;

/// <summary>The four states of what is read.</summary>
public sealed class LoadedTests : ComponentTest
{
    private sealed record No(RefusalKind Sort) : Refusal("test.no", "Not now.")
    {
        public override RefusalKind Kind => Sort;
    }

    [Fact]
    public void On_its_way_it_is_a_skeleton_that_tells_a_screen_reader() =>
        Assert.Equal("true", Show(null).Find("[role=status]").GetAttribute("aria-busy"));

    [Fact]
    public void There_it_is_the_content() => Assert.Equal("Hello", Show(Result<string>.Of("Hello")).Find("b").TextContent);

    [Fact]
    public void Not_found_says_so_without_telling_whether_it_exists() =>
        Assert.Equal("Not found", Show(new No(RefusalKind.NotFound)).Find("h1").TextContent);

    [Fact]
    public void A_part_of_a_page_brings_no_second_heading() => Assert.Empty(Show(new No(RefusalKind.NotFound), title: null).FindAll("h1"));

    [Fact]
    public void A_page_has_its_heading_while_it_is_on_its_way() => Assert.Equal("VMs", Show(null).Find("h1").TextContent);

    [Fact]
    public void Forbidden_says_who_can() => Assert.Contains("Not now.", Show(new No(RefusalKind.Forbidden)).Markup, StringComparison.Ordinal);

    [Fact]
    public async Task A_fault_is_in_place_with_its_reference_and_can_be_tried_again()
    {
        var tries = 0;
        var loaded = Render<Loaded<string>>(p => p
            .Add(l => l.Of, Result<string>.Of(new Portal.Web.Components.PortalFault("ab12")))
            .Add(l => l.ChildContent, value => $"<b>{value}</b>")
            .Add(l => l.Retry, () => tries++));

        await loaded.Find("button").ClickAsync(new());

        Assert.Contains("ab12", loaded.Find("[role=alert]").TextContent, StringComparison.Ordinal);
        Assert.Equal(1, tries);
    }

    private IRenderedComponent<Loaded<string>> Show(Result<string>? result, string? title = "VMs") =>
        Render<Loaded<string>>(p => p.Add(l => l.Of, result).Add(l => l.ChildContent, value => $"<b>{value}</b>").Add(l => l.Title, title));
}
