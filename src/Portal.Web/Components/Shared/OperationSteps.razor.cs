using Microsoft.AspNetCore.Components;
using MudBlazor;
using Portal.Engine;

namespace Portal.Web.Components.Shared;

/// <summary>The steps of an operation as an ordered list, the running one with a clock. (MudStepper is a list of tabs, MudTimeline bare boxes.)</summary>
public partial class OperationSteps(Ticks ticks) : ComponentBase, IDisposable
{
    private IDisposable? _listening;

    [Parameter, EditorRequired]
    public IReadOnlyList<StepLine> Steps { get; set; } = [];

    protected override void OnParametersSet()
    {
        var running = Steps.Any(s => s.State == StepLineState.Running);
        if (running && _listening is null && RendererInfo.IsInteractive)
        {
            _listening = ticks.Listen(() => _ = InvokeAsync(StateHasChanged));
        }
        else if (!running)
        {
            _listening?.Dispose();
            _listening = null;
        }
    }

    public void Dispose()
    {
        _listening?.Dispose();
        GC.SuppressFinalize(this);
    }

    private string TookOf(StepLine step) =>
        step is { State: StepLineState.Running, Since: { } since } ? Said.Took(ticks.Now - since)
        : step.Took is { } took ? Said.Took(took)
        : "";

    private static string CommandTook(JournalLine command) => command.ExitCode switch
    {
        0 => Said.Took(TimeSpan.FromMilliseconds(command.ElapsedMs)),
        { } code => $"ended with {code}",
        null => "no answer",
    };

    private static string WordOf(StepLineState state) => state switch
    {
        StepLineState.ToDo => "to do",
        StepLineState.Running => "running",
        StepLineState.Done => "done",
        StepLineState.Failed => "failed",
        StepLineState.Undone => "undone",
        StepLineState.Skipped => "not needed",
    };

    private static string IconOf(StepLineState state) => state switch
    {
        StepLineState.ToDo => Icons.Material.Outlined.RadioButtonUnchecked,
        StepLineState.Running => Icons.Material.Outlined.Sync,
        StepLineState.Done => Icons.Material.Outlined.CheckCircle,
        StepLineState.Failed => Icons.Material.Outlined.ErrorOutline,
        StepLineState.Undone => Icons.Material.Outlined.Undo,
        StepLineState.Skipped => Icons.Material.Outlined.RemoveCircleOutline,
    };
}
