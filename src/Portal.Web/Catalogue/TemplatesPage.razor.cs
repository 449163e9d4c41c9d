using MudBlazor;
using Portal.App;
using Portal.App.Access;
using Portal.App.Catalogue;
using Portal.App.Tenants;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Catalogue;

/// <summary>The templates: how they are presented, and whether they can be ordered.</summary>
public partial class TemplatesPage(ListTemplates.Handler lists, ChangeTemplate.Handler changing, ListTenants.Handler tenantLists, ISnackbar snackbar) : PortalPage
{
    private Result<IReadOnlyList<TemplateRow>>? _templates;
    private IReadOnlyList<TenantRow> _tenants = [];
    private readonly HashSet<TemplateId> _open = [];
    private TemplateDraft? _edit;
    private Refusal? _refusal;
    private bool _busy;
    private int _changes;

    protected override async Task OnInitializedAsync()
    {
        Follow(Topic.Templates);
        _templates = await ReadAsync("templates", LoadAsync);
    }

    protected override async Task LookAgainAsync() => _templates = await AskAsync(LoadAsync);

    private async Task<Result<IReadOnlyList<TemplateRow>>> LoadAsync(Actor actor, CancellationToken ct)
    {
        var tenants = await tenantLists.HandleAsync(new ListTenants.Request(), actor, ct);
        _tenants = tenants.Succeeded ? tenants.Value : _tenants;
        return await lists.HandleAsync(new ListTemplates.Request(OfferedOnly: false), actor, ct);
    }

    private string NameOf(TenantId tenant) => _tenants.FirstOrDefault(t => t.Id == tenant)?.Name ?? "another";

    private void Edit(TemplateRow row) => (_edit, _refusal) = (TemplateDraft.From(row), null);

    private async Task SaveAsync()
    {
        if (_edit is not { } form || _busy)
        {
            return;
        }

        _busy = true;
        _refusal = (await AskAsync<Done>((actor, ct) => changing.HandleAsync(form.ToRequest(), actor, ct))).Refusal;
        _busy = false;
        if (_refusal is null)
        {
            _edit = null;
            _changes++;
            snackbar.Add($"{form.Name} is saved.", Severity.Success);
            await LookAgainAsync();
        }
    }
}
