using System.Globalization;
using Microsoft.AspNetCore.Components;
using Portal.App.Access;
using Portal.App.Control;
using Portal.App.Pricing;
using Portal.App.Vms;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Vms;

/// <summary>When a VM is started and shut down week by week, and what that makes of its price.</summary>
public partial class VmSchedulePlan(SetSchedule.Handler setting) : PortalPage
{
    private const string Clock = "HH:mm";

    private HashSet<DayOfWeek> _days = [DayOfWeek.Monday, DayOfWeek.Tuesday, DayOfWeek.Wednesday, DayOfWeek.Thursday, DayOfWeek.Friday];
    private string? _start = "08:00";
    private string? _stop = "18:00";
    private string? _zone;
    private string? _shown;
    private Refusal? _refusal;
    private bool _busy;

    [Parameter, EditorRequired]
    public TenantId Tenant { get; set; }

    [Parameter, EditorRequired]
    public GetVm.Details Vm { get; set; } = default!;

    [CascadingParameter]
    private ViewerZone Viewer { get; set; } = ViewerZone.Utc;

    // Null while a time is none.
    private WeekSchedule? Typed => TryTime(_start) is { } start && TryTime(_stop) is { } stop ? new WeekSchedule(_days, start, stop, _zone?.Trim() ?? "") : null;

    private bool IsAsItWas => Vm.Schedule is { } week && Typed is { } typed && typed.InWords == week.InWords;

    protected override void OnParametersSet()
    {
        _zone ??= Viewer.Zone.Id;
        // At first, and where somebody set another meanwhile.
        if (Vm.Schedule is { } week && week.InWords != _shown)
        {
            (_days, _start, _stop, _zone) = ([.. week.Days], week.Start.ToString(Clock, CultureInfo.InvariantCulture), week.Stop.ToString(Clock, CultureInfo.InvariantCulture), week.Zone);
        }

        _shown = Vm.Schedule?.InWords;
    }

    private Money PerMonth(WeekSchedule plan) => new(((Vm.Row.Price.RunningPerHour * plan.RunsPart) + Vm.Row.Price.AllocatedPerHour) * Price.HoursPerMonth, Vm.Row.Price.Currency);

    private void Tick(DayOfWeek day, bool on) => _ = on ? _days.Add(day) : _days.Remove(day);

    private string? ErrorOf(string field) => _refusal?.Field == field ? _refusal.Message : null;

    private static TimeOnly? TryTime(string? text) => TimeOnly.TryParseExact(text, Clock, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) ? time : null;

    private Task SaveAsync()
    {
        _refusal = TryTime(_start) is null ? new Invalid("start", "Choose a time.") : TryTime(_stop) is null ? new Invalid("stop", "Choose a time.") : null;
        return _refusal is null ? SetAsync(Typed) : Task.CompletedTask;
    }

    private async Task SetAsync(WeekSchedule? week)
    {
        if (_busy)
        {
            return;
        }

        _busy = true;
        _refusal = (await AskAsync((actor, ct) => setting.HandleAsync(new SetSchedule.Request(Tenant, Vm.Row.Id, week), actor, ct))).Refusal;
        _busy = false;
    }
}
