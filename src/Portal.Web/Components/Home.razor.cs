using Portal.App.Access;
using Portal.App.Setup;
using Portal.App.Tenants;
using Portal.Kernel;

namespace Portal.Web.Components;

/// <summary>The start page leads on to where a person's work is: the set-up while it is open, one's tenant, or one's role.</summary>
public partial class Home(ListTenants.Handler tenants, GetChecklist.Handler checklist) : PortalPage
{
    private Result<string>? _start;

    protected override async Task OnInitializedAsync() => await GoAsync(await ReadAsync("start", WhereAsync));

    protected override async Task LookAgainAsync() => await GoAsync(await AskAsync(WhereAsync));

    private Task GoAsync(Result<string> start)
    {
        if (start.TryGet(out var path, out _) && path.Length > 0)
        {
            Navigation.NavigateTo(path, replace: true);
        }
        else
        {
            _start = start;
        }

        return Task.CompletedTask;
    }

    private async Task<Result<string>> WhereAsync(Actor actor, CancellationToken ct)
    {
        if (actor.Is(PlatformRole.Administrator)
            && (await checklist.HandleAsync(new GetChecklist.Request(), actor, ct)).TryGet(out var rows, out _)
            && rows.Any(r => r is { Done: false, Skipped: false }))
        {
            return Result<string>.Of("/admin/setup");
        }

        var read = await tenants.HandleAsync(new ListTenants.Request(), actor, ct);
        if (!read.TryGet(out var mine, out var refusal))
        {
            return Result<string>.Of(refusal);
        }

        return Result<string>.Of(
            mine.FirstOrDefault(t => actor.Memberships.ContainsKey(t.Id)) is { } tenant ? $"/t/{tenant.Slug}"
            : actor.Is(PlatformRole.Approver) ? "/approvals"
            : actor.Is(PlatformRole.Operator) || actor.Is(PlatformRole.Support) ? "/ops/hosts"
            : actor.Is(PlatformRole.Biller) ? "/billing/plans"
            : actor.Is(PlatformRole.Administrator) ? "/admin/tenants"
            : "");
    }
}
