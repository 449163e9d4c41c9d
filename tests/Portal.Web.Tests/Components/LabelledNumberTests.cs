using Bunit;
using Portal.Web.Components.Shared;

namespace Portal.Web.Tests.Components;

public sealed class LabelledNumberTests : ComponentTest
{
    [Fact]
    public void What_stands_against_a_number_is_said_at_its_field_also_when_it_comes_after_the_typing()
    {
        var value = 1;
        var field = Render<LabelledNumber<int>>(p => p.Add(f => f.Label, "Count").Add(f => f.Value, value).Add(f => f.ValueChanged, v => value = v));

        field.Find("input").Input("0");
        field.Render(p => p.Add(f => f.Value, value).Add(f => f.Error, "A line has 1 to 50 VMs."));

        Assert.Equal(0, value);
        Assert.Equal("true", field.Find("input").GetAttribute("aria-invalid"));
        Assert.Contains("A line has 1 to 50 VMs.", field.Markup, StringComparison.Ordinal);

        field.Find("input").Input("2");
        field.Render(p => p.Add(f => f.Value, value).Add(f => f.Error, null));
        Assert.Equal("false", field.Find("input").GetAttribute("aria-invalid"));
    }
}
