using Bunit;
using Portal.Web.Components.Shared;

namespace Portal.Web.Tests.Components;

/// <summary>The age of something, ticking.</summary>
public sealed class AgoTextTests : ComponentTest
{
    [Fact]
    public void It_ticks_and_keeps_the_absolute_time_in_reach()
    {
        var ago = Render<AgoText>(p => p.Add(a => a.At, Now.AddSeconds(-5)));
        Assert.Equal("5 s ago", ago.Find("time").TextContent);

        Clock.Advance(TimeSpan.FromSeconds(3));

        ago.WaitForAssertion(() => Assert.Equal("8 s ago", ago.Find("time").TextContent));
        Assert.Equal("14 Mar 2026, 11:59:55 UTC", ago.Find("time").GetAttribute("data-full"));
        Assert.Equal("0", ago.Find("time").GetAttribute("tabindex"));
    }

    [Fact]
    public void It_redraws_only_when_its_words_change()
    {
        var ago = Render<AgoText>(p => p.Add(a => a.At, Now.AddMinutes(-5)));
        var drawn = ago.RenderCount;

        Clock.Advance(TimeSpan.FromSeconds(30));

        Assert.Equal(drawn, ago.RenderCount);
    }
}
