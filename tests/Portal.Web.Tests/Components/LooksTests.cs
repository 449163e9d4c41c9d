using Portal.App.Control;
using Portal.App.Operations;
using Portal.App.Ordering;
using Portal.App.Vms;
using Portal.Kernel;
using Portal.Web.Components.Shared;

namespace Portal.Web.Tests.Components;

/// <summary>How states look: word, icon and tone, told apart without colour.</summary>
public sealed class LooksTests
{
    private static readonly DateTimeOffset s_now = new(2026, 3, 14, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Every_state_has_a_word_and_an_icon()
    {
        StatusLook[] all =
        [
            .. Enum.GetValues<ShownStatus>().Select(Looks.Of),
            .. Enum.GetValues<OrderState>().Select(Looks.Of),
            .. Enum.GetValues<OperationState>().Select(Looks.Of),
            .. Enum.GetValues<VmStage>().Select(Looks.Of),
        ];

        Assert.All(all, look => Assert.NotEmpty(look.Word));
        Assert.All(all, look => Assert.NotEmpty(look.Icon));
    }

    [Fact]
    public void No_two_states_of_a_vm_share_a_word() =>
        Assert.Distinct(Enum.GetValues<ShownStatus>().Select(s => Looks.Of(s).Word));

    [Fact]
    public void A_saved_vm_is_off_on_purpose_and_told_from_a_stopped_one_without_colour()
    {
        var (saved, stopped) = (Looks.Of(ShownStatus.Saved), Looks.Of(ShownStatus.Stopped));

        Assert.Equal(("Saved", Tone.Neutral), (saved.Word, saved.Tone));
        Assert.NotEqual(stopped.Icon, saved.Icon);
        Assert.True(Looks.Of(ShownStatus.Changing).Busy);
    }

    [Fact]
    public void A_change_is_named_after_its_vm()
    {
        var build = Operation(OperationState.Running);

        Assert.Equal("Build web-1", build.Headline);
        Assert.Equal("web-1: Use 256 MiB of memory", (build with { Kind = OperationKind.Change, Words = "Use 256 MiB of memory" }).Headline);
    }

    [Fact]
    public void What_is_only_believed_is_dashed() => Assert.Equal([ShownStatus.Unreachable], Enum.GetValues<ShownStatus>().Where(s => Looks.Of(s).Dashed));

    [Fact]
    public void A_step_that_an_ended_operation_never_began_was_not_needed()
    {
        var lines = Looks.Lines(Operation(OperationState.Failed, StepState.Undone, StepState.Failed, StepState.ToDo));

        Assert.Equal([StepLineState.Undone, StepLineState.Failed, StepLineState.Skipped], lines.Select(l => l.State));
    }

    [Fact]
    public void The_running_step_says_since_when()
    {
        var lines = Looks.Lines(Operation(OperationState.Running, StepState.Done, StepState.Doing, StepState.ToDo));

        Assert.Equal([StepLineState.Done, StepLineState.Running, StepLineState.ToDo], lines.Select(l => l.State));
        Assert.Equal(TimeSpan.FromSeconds(2), lines[0].Took);
        Assert.Equal(s_now, lines[1].Since);
    }

    private static OperationRow Operation(OperationState state, params StepState[] steps) => new(
        OperationId.New(), TenantId.New(), VmId.New(), "web-1", OperationKind.Build, "Build", state, "Ana", s_now, s_now, null, s_now, null, null, false, true,
        [.. steps.Select((s, i) => new StepRow(i + 1, StepKind.CloneDisk, "Clone", s, s == StepState.ToDo ? null : s_now, s is StepState.Done or StepState.Failed ? s_now.AddSeconds(2) : null, 1, []))]);
}
