using Bunit;
using Portal.Kernel;
using Portal.Web.Ordering;

namespace Portal.Web.Tests.Pages;

/// <summary>What is used, held and asked for, beside its limit.</summary>
public sealed class QuotaMeterTests : ComponentTest
{
    [Fact]
    public void It_says_the_sum_in_words_for_those_who_do_not_see_the_bar()
    {
        var meter = Show(Limit.Of(16), used: 8, held: 2, asked: 3);

        Assert.Equal("vCPU: 10 + 3 of 16", meter.Find("[role=img]").GetAttribute("aria-label"));
        Assert.Equal("2 of it in waiting orders", meter.Find(".meter-note").TextContent);
    }

    [Fact]
    public void Over_the_limit_it_says_by_how_much()
    {
        var meter = Show(Limit.Of(16), used: 14, held: 0, asked: 4);

        Assert.NotNull(meter.Find(".meter-over"));
        Assert.Equal("2 over the limit", meter.Find(".meter-note").TextContent);
    }

    [Fact]
    public void Without_a_limit_there_is_no_bar_to_be_full()
    {
        var meter = Show(Limit.None, used: 14, held: 0, asked: 0);

        Assert.Empty(meter.FindAll("[role=img]"));
        Assert.Contains("14, no limit", meter.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public void A_limit_of_nothing_is_not_the_absence_of_one() =>
        Assert.NotNull(Show(Limit.Of(0), used: 0, held: 0, asked: 1).Find(".meter-over"));

    private IRenderedComponent<QuotaMeter> Show(Limit limit, long used, long held, long asked) => Render<QuotaMeter>(p => p
        .Add(m => m.Name, "vCPU").Add(m => m.Limit, limit).Add(m => m.Used, used).Add(m => m.Held, held).Add(m => m.Asked, asked));
}
