using MudBlazor;
using Portal.App.Access;
using Portal.App.Tenants;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Tenants;

/// <summary>All tenants, for administrators: how much they may have, and who approves their orders.</summary>
public partial class TenantsPage(ListTenants.Handler lists, CreateTenant.Handler making, ChangeTenant.Handler changing, AccessRules access, ISnackbar snackbar) : PortalPage
{
    private Result<IReadOnlyList<TenantRow>>? _tenants;
    private TenantDraft? _edit;
    private Refusal? _problem;
    private Refusal? _refusal;
    private bool _busy;

    protected override async Task OnInitializedAsync() => _tenants = await ReadAsync("tenants", LoadAsync);

    protected override async Task LookAgainAsync() => _tenants = await AskAsync(LoadAsync);

    private async Task<Result<IReadOnlyList<TenantRow>>> LoadAsync(Actor actor, CancellationToken ct) =>
        access.Check(actor, Permission.ManageTenants) is { } refusal
            ? Result<IReadOnlyList<TenantRow>>.Of(refusal)
            : await lists.HandleAsync(new ListTenants.Request(), actor, ct);

    private void New() => (_edit, _problem, _refusal) = (new TenantDraft(), null, null);

    private void Edit(TenantRow tenant) => (_edit, _problem, _refusal) = (TenantDraft.From(tenant), null, null);

    private async Task SaveAsync()
    {
        if (_edit is not { } form || _busy)
        {
            return;
        }

        _busy = true;
        var saved = await AskAsync<Done>(async (actor, ct) =>
        {
            if (form.Id is { } id)
            {
                return await changing.HandleAsync(new ChangeTenant.Request(id, form.Name, form.Limits), actor, ct);
            }

            var made = await making.HandleAsync(new CreateTenant.Request(form.Slug.Trim(), form.Name, form.Currency.Trim(), form.Limits), actor, ct);
            return made.Refusal is { } refusal ? Result<Done>.Of(refusal) : default(Done);
        });
        _busy = false;
        _problem = saved.Refusal is { Field: not null } ? saved.Refusal : null;
        _refusal = saved.Refusal is { Field: null } ? saved.Refusal : null;
        if (saved.Succeeded)
        {
            _edit = null;
            snackbar.Add(form.Id is null ? $"{form.Name} is made. Invite its owner." : $"{form.Name} is saved.", Severity.Success);
            await LookAgainAsync();
        }
    }

    private static string Words(TenantLimits limits) =>
        $"{Bound(limits.Vms)} VMs, {Bound(limits.Vcpus)} vCPU, {Bound(limits.MemoryMiB, ByteSize.FromMiB)} memory, {Bound(limits.DiskGiB, ByteSize.FromGiB)} disk";

    private static string Bound(Limit limit, Func<long, ByteSize>? size = null) =>
        limit is Limit.AtMost(var max) ? size?.Invoke(max).ToString() ?? limit.ToString()! : "any";
}
