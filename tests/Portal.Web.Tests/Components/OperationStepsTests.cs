using Bunit;
using Portal.Web.Components.Shared;

namespace Portal.Web.Tests.Components;

/// <summary>The steps of an operation.</summary>
public sealed class OperationStepsTests : ComponentTest
{
    [Fact]
    public void They_are_an_ordered_list_that_says_each_state_in_words()
    {
        var steps = Render<OperationSteps>(p => p.Add(s => s.Steps,
        [
            new StepLine("Clone the disk", StepLineState.Done, TimeSpan.FromSeconds(0.2)),
            new StepLine("Define the domain", StepLineState.Failed, TimeSpan.FromSeconds(38), Note: "The pool is full."),
            new StepLine("Start", StepLineState.ToDo),
        ]));

        Assert.Equal(["Clone the disk, done", "Define the domain, failed", "Start, to do"], steps.FindAll("ol > li .step-title").Select(t => t.TextContent));
        Assert.Equal(["0.2 s", "38 s", ""], steps.FindAll(".step-took").Select(t => t.TextContent));
        Assert.Equal("The pool is full.", steps.Find(".step-note").TextContent);
    }

    [Fact]
    public void The_running_one_counts_and_is_current()
    {
        var steps = Render<OperationSteps>(p => p.Add(s => s.Steps, [new StepLine("Start", StepLineState.Running, Since: Now.AddSeconds(-38))]));
        Assert.Equal("step", steps.Find("li").GetAttribute("aria-current"));

        Clock.Advance(TimeSpan.FromSeconds(2));

        steps.WaitForAssertion(() => Assert.Equal("40 s", steps.Find(".step-took").TextContent));
    }
}
