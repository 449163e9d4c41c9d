using MudBlazor;
using Portal.App.Access;
using Portal.App.Tenants;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Tenants;

/// <summary>A tenant's stored public keys.</summary>
public partial class KeysPage(ListSshKeys.Handler lists, AddSshKey.Handler adding, RemoveSshKey.Handler removing, IDialogService dialogs, ISnackbar snackbar) : TenantPage
{
    private Result<IReadOnlyList<SshKeyRow>>? _keys;
    private Refusal? _refusal;
    private string? _line;
    private string? _lineProblem;
    private string? _name;
    private string? _nameProblem;
    private bool _busy;

    protected override async Task OnParametersSetAsync() => _keys = await ReadHereAsync("keys", LoadAsync);

    protected override async Task LookAgainAsync() => _keys = await AskHereAsync(LoadAsync);

    private Task<Result<IReadOnlyList<SshKeyRow>>> LoadAsync(TenantId tenant, Actor actor, CancellationToken ct) => lists.HandleAsync(new ListSshKeys.Request(tenant), actor, ct);

    private async Task AddAsync()
    {
        _busy = true;
        var added = await AskHereAsync<SshKeyId>((tenant, actor, ct) => adding.HandleAsync(new AddSshKey.Request(tenant, _name ?? "", _line ?? ""), actor, ct));
        _busy = false;
        _lineProblem = added.Refusal is { Field: "line" } line ? line.Message : null;
        _nameProblem = added.Refusal is { Field: "name" } name ? name.Message : null;
        _refusal = added.Refusal is { Field: null } other ? other : null;
        if (added.Succeeded)
        {
            (_line, _name) = (null, null);
            snackbar.Add("The key is stored.", Severity.Success);
            await LookAgainAsync();
        }
    }

    private async Task RemoveAsync(SshKeyRow key)
    {
        if (!await dialogs.AskAsync($"Remove {key.Name}?", "New orders can no longer choose it. VMs that have it keep it.", $"Remove {key.Name}"))
        {
            return;
        }

        _busy = true;
        StateHasChanged();
        _refusal = (await AskHereAsync<Done>((tenant, actor, ct) => removing.HandleAsync(new RemoveSshKey.Request(tenant, key.Id), actor, ct))).Refusal;
        _busy = false;
        await LookAgainAsync();
    }
}
