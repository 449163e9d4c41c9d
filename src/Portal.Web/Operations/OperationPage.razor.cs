using Microsoft.AspNetCore.Components;
using MudBlazor;
using Portal.App;
using Portal.App.Access;
using Portal.App.Control;
using Portal.App.Operations;
using Portal.App.Tenants;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Operations;

/// <summary>What an operation does, step by step as it happens, and what can be done about it.</summary>
public partial class OperationPage(GetOperation.Handler operations, ListTenants.Handler tenants, CancelOperation.Handler cancellation, PowerVm.Handler power, RetryBuild.Handler builds, IDialogService dialogs) : PortalPage
{
    private Result<OperationRow>? _operation;
    private TenantRow? _tenant;
    private Refusal? _refusal;
    private bool _busy;

    [Parameter]
    public string Operation { get; set; } = "";

    protected override async Task OnParametersSetAsync()
    {
        var read = await ReadAsync("operation", LoadAsync);
        (_operation, _tenant) = Take(read);
        if (_operation is { Succeeded: true } there)
        {
            // What it is about is only known now, so look once more after the subscription holds.
            Follow(Topic.Of(there.Value.Vm));
            if (RendererInfo.IsInteractive && there.Value.IsLive)
            {
                await LookAgainAsync();
            }
        }
    }

    protected override async Task LookAgainAsync() => (_operation, _tenant) = Take(await AskAsync(LoadAsync));

    private static (Result<OperationRow>, TenantRow?) Take(Result<Loaded> read) =>
        read.TryGet(out var loaded, out var refusal) ? (Result<OperationRow>.Of(loaded.Operation), loaded.Tenant) : (Result<OperationRow>.Of(refusal), null);

    private async Task<Result<Loaded>> LoadAsync(Actor actor, CancellationToken ct)
    {
        if (!Id.TryParse<OperationId>(Operation, out var id))
        {
            return Result<Loaded>.Of(new NotFound("operation"));
        }

        var read = await operations.HandleAsync(new GetOperation.Request(id), actor, ct);
        if (!read.TryGet(out var operation, out var refusal))
        {
            return Result<Loaded>.Of(refusal);
        }

        var mine = await tenants.HandleAsync(new ListTenants.Request(), actor, ct);
        return new Loaded(operation, mine.TryGet(out var rows, out _) ? rows.FirstOrDefault(t => t.Id == operation.Tenant) : null);
    }

    // What was asked for because of a host is for those who look after hosts to call off.
    private bool MayControl(OperationRow operation) => operation.Kind is OperationKind.Move or OperationKind.Detach ? May(Permission.ManageHosts) : May(Permission.ControlVms, operation.Tenant);

    // An adoption is asked for again on the host's page. A delete is asked for again on the VM's page, where its name is typed; so is a change, where one sees whether it still makes sense.
    private static bool CanRetry(OperationRow operation) =>
        operation.State is OperationState.Failed or OperationState.Cancelled && operation.Kind is not (OperationKind.Delete or OperationKind.Change or OperationKind.Adopt or OperationKind.Move or OperationKind.Detach);

    private IReadOnlyList<Crumb> Crumbs(OperationRow operation) =>
        _tenant is null ? [] : [new(_tenant.Name, $"/t/{_tenant.Slug}"), new("VMs", $"/t/{_tenant.Slug}/vms"), new(operation.VmName, VmHref(operation))];

    private string VmHref(OperationRow operation) => $"/t/{_tenant?.Slug}/vms/{operation.Vm}";

    private static string Sentence(OperationRow operation) => operation.State switch
    {
        OperationState.Waiting when operation.Problem is not null => "It could not go on and rests; the next try comes by itself.",
        OperationState.Waiting => "It is queued and begins in a moment.",
        OperationState.Running when operation.CancelRequested => "It was cancelled; what was done is taken back after the present step.",
        OperationState.Running => $"Step {Math.Min(operation.Steps.Count, operation.Steps.Count(s => s.State == StepState.Done) + 1)} of {operation.Steps.Count}.",
        OperationState.Undoing => "What was done is being taken back, the last step first. Nothing stays on the host.",
        OperationState.Succeeded => $"All {operation.Steps.Count} steps are done.",
        OperationState.Failed when operation.Kind == OperationKind.Build => "It failed, and what was done was taken back: nothing stays on the host, and nothing is billed.",
        OperationState.Failed when operation.Kind == OperationKind.Adopt => "It failed, and what was done was taken back: the domain is as it was, and nothing is billed.",
        OperationState.Failed when operation.Kind == OperationKind.Move && Arrived(operation) => "The VM is on its new host, and what came after that failed.",
        OperationState.Failed when operation.Kind == OperationKind.Move => "It failed, and what was done was taken back: the VM is where it was.",
        OperationState.Cancelled when operation.Kind == OperationKind.Move => Arrived(operation) ? "It was called off after the VM was on its new host." : "It was cancelled, and what was done was taken back: the VM is where it was.",
        OperationState.Failed when operation.Kind == OperationKind.Detach && Arrived(operation) => "The VM has a disk of its own, and what came after that failed. Detach it once more to remove the clone.",
        OperationState.Failed when operation.Kind == OperationKind.Detach => "It failed, and what was done was taken back: the VM's disk is the clone that it was.",
        OperationState.Cancelled when operation.Kind == OperationKind.Detach => Arrived(operation) ? "It was called off after the VM had a disk of its own. Detach it once more to remove the clone." : "It was cancelled, and what was done was taken back: the VM's disk is the clone that it was.",
        OperationState.Failed => "It failed. The VM is as the host shows it.",
        OperationState.Cancelled => "It was cancelled. Nothing of it stays.",
    };

    // From there on nothing is taken back.
    private static bool Arrived(OperationRow operation) => operation.Steps.Any(s => s is { Kind: StepKind.ChangeHost or StepKind.TakeCopy, State: StepState.Done });

    private async Task CancelAsync()
    {
        if (_operation is not { Succeeded: true } read)
        {
            return;
        }

        var operation = read.Value;
        if (operation.Kind == OperationKind.Move && !await dialogs.AskAsync($"Cancel moving {operation.VmName}?", "What was copied to the new host is removed, and the VM is started where it was if it ran.", "Cancel the move", dangerous: true))
        {
            return;
        }

        if (operation.Kind == OperationKind.Detach && !Arrived(operation) && !await dialogs.AskAsync($"Cancel detaching {operation.VmName}?", "What was copied is removed, and the VM goes on with the clone that it has, started again if it was shut down for this.", "Cancel the detaching", dangerous: true))
        {
            return;
        }

        if (operation.Kind == OperationKind.Adopt && !await dialogs.AskAsync($"Cancel adopting {operation.VmName}?", "Its disks get their old names back, and the domain is started from its own file again if it ran.", "Cancel the adoption", dangerous: true))
        {
            return;
        }

        if (operation.Kind == OperationKind.Build && !await dialogs.AskAsync($"Cancel building {operation.VmName}?", "What was made on the host so far is removed. The VM can be built again later, or deleted.", "Cancel the build", dangerous: true))
        {
            return;
        }

        await ActAsync(async (actor, ct) => (await cancellation.HandleAsync(new CancelOperation.Request(operation.Tenant, operation.Id), actor, ct)).Refusal);
    }

    private async Task RetryAsync()
    {
        if (_operation is not { Succeeded: true } read)
        {
            return;
        }

        var operation = read.Value;
        OperationId? again = null;
        await ActAsync(async (actor, ct) =>
        {
            var asked = operation.Kind == OperationKind.Build
                ? await builds.HandleAsync(new RetryBuild.Request(operation.Tenant, operation.Vm), actor, ct)
                : await power.HandleAsync(new PowerVm.Request(operation.Tenant, operation.Vm, Enum.Parse<PowerVm.Action>(operation.Kind.ToString())), actor, ct);
            again = asked.Succeeded ? asked.Value : null;
            return asked.Refusal;
        });
        if (again is { } id)
        {
            Navigation.NavigateTo($"/operations/{id}");
        }
    }

    private async Task ActAsync(Func<Actor, CancellationToken, Task<Refusal?>> act)
    {
        _busy = true;
        StateHasChanged();
        var done = await AskAsync<Done>(async (actor, ct) => await act(actor, ct) is { } refusal ? Result<Done>.Of(refusal) : default(Done));
        _refusal = done.Refusal;
        _busy = false;
        await LookAgainAsync();
    }

    private sealed record Loaded(OperationRow Operation, TenantRow? Tenant);
}
