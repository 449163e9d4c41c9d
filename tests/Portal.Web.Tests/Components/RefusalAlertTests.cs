using Bunit;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Tests.Components;

/// <summary>A "no" in the page.</summary>
public sealed class RefusalAlertTests : ComponentTest
{
    [Fact]
    public void Its_region_is_there_before_the_refusal_so_that_the_words_are_spoken()
    {
        var alert = Render<RefusalAlert>();
        Assert.Equal("", alert.Find("[role=alert]").TextContent.Trim());

        alert.Render(p => p.Add(a => a.Refusal, new PortalFault("ab12")));

        Assert.Contains("ab12", alert.Find("[role=alert]").TextContent, StringComparison.Ordinal);
        Assert.NotNull(alert.Find("[data-code='portal.fault']"));
    }
}
