using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Routing;
using Portal.App;
using Portal.App.Access;
using Portal.App.Ordering;
using Portal.App.Tenants;
using Portal.Kernel;

namespace Portal.Web.Components.Layout;

/// <summary>Reads what the frame shows, and keeps it fresh: after navigation, and when orders wait.</summary>
public partial class ShellData(ListTenants.Handler tenants, ListApprovals.Handler approvals) : PortalPage
{
    private Shell? _shell;
    private string? _lastTenant;

    [Parameter, EditorRequired]
    public RenderFragment ChildContent { get; set; } = default!;

    protected override async Task OnInitializedAsync()
    {
        Navigation.LocationChanged += Moved;
        Follow(Topic.Approvals);
        Show(await ReadAsync("shell", LoadAsync));
    }

    protected override async Task LookAgainAsync() => Show(await AskAsync(LoadAsync));

    protected override ValueTask DisposeCoreAsync()
    {
        Navigation.LocationChanged -= Moved;
        return base.DisposeCoreAsync();
    }

    private void Show(Result<Shell> read) => _shell = read.TryGet(out var shell, out _) ? shell : _shell;

    private async Task<Result<Shell>> LoadAsync(Actor actor, CancellationToken ct)
    {
        var read = await tenants.HandleAsync(new ListTenants.Request(), actor, ct);
        if (!read.TryGet(out var rows, out var refusal))
        {
            return Result<Shell>.Of(refusal);
        }

        var waiting = (await approvals.HandleAsync(new ListApprovals.Request(ApprovalList.Mine), actor, ct)).TryGet(out var orders, out _) ? orders.Count : 0;
        return new Shell(actor, rows, CurrentOf(actor, rows), waiting);
    }

    private TenantRow? CurrentOf(Actor actor, IReadOnlyList<TenantRow> rows)
    {
        var slug = SlugOf(Navigation.ToBaseRelativePath(Navigation.Uri));
        _lastTenant = slug ?? _lastTenant;
        return rows.FirstOrDefault(t => t.Slug == _lastTenant) ?? rows.FirstOrDefault(t => actor.Memberships.ContainsKey(t.Id));
    }

    private static string? SlugOf(string path) => path.Split('/', '?', '#') is ["t", { Length: > 0 } slug, ..] ? slug : null;

    // A tenant that is not known yet (just made, just joined) makes it read again; else the frame only marks another one.
    private void Moved(object? sender, LocationChangedEventArgs e)
    {
        if (_shell is null)
        {
            return;
        }

        var slug = SlugOf(Navigation.ToBaseRelativePath(e.Location));
        if (slug is not null && _shell.Tenants.All(t => t.Slug != slug))
        {
            Keep(_ => InvokeAsync(async () =>
            {
                await LookAgainAsync();
                StateHasChanged();
            }));
        }
        else
        {
            _shell = _shell with { Current = CurrentOf(_shell.Me, _shell.Tenants) };
            _ = InvokeAsync(StateHasChanged);
        }
    }
}
