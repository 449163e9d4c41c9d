using MudBlazor;
using Portal.App;
using Portal.App.Access;
using Portal.App.Catalogue;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Catalogue;

/// <summary>The templates: how they are presented, and whether they can be ordered.</summary>
public partial class TemplatesPage(ListTemplates.Handler lists, ChangeTemplate.Handler changing, ISnackbar snackbar) : PortalPage
{
    private Result<IReadOnlyList<TemplateRow>>? _templates;
    private Draft? _edit;
    private Refusal? _refusal;
    private bool _busy;

    protected override async Task OnInitializedAsync()
    {
        Follow(Topic.Templates);
        _templates = await ReadAsync("templates", LoadAsync);
    }

    protected override async Task LookAgainAsync() => _templates = await AskAsync(LoadAsync);

    private Task<Result<IReadOnlyList<TemplateRow>>> LoadAsync(Actor actor, CancellationToken ct) => lists.HandleAsync(new ListTemplates.Request(OfferedOnly: false), actor, ct);

    private string? ErrorOf(string field) => _refusal?.Field == field ? _refusal.Message : null;

    private void Edit(TemplateRow row) =>
        (_edit, _refusal) = (new Draft { Id = row.Id, Name = row.Name, Description = row.Description, SignIn = row.SignIn, Offered = row.Offered }, null);

    private async Task SaveAsync()
    {
        if (_edit is not { } form || _busy)
        {
            return;
        }

        _busy = true;
        _refusal = (await AskAsync<Done>((actor, ct) => changing.HandleAsync(new ChangeTemplate.Request(form.Id, form.Name, form.Description, form.SignIn, form.Offered), actor, ct))).Refusal;
        _busy = false;
        if (_refusal is null)
        {
            _edit = null;
            snackbar.Add($"{form.Name} is saved.", Severity.Success);
            await LookAgainAsync();
        }
    }

    private sealed class Draft
    {
        public TemplateId Id { get; init; }

        public string Name { get; set; } = "";

        public string Description { get; set; } = "";

        public string SignIn { get; set; } = "";

        public bool Offered { get; set; }
    }
}
