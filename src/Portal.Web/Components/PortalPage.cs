using Microsoft.AspNetCore.Components;
using Portal.App;
using Portal.App.Access;
using Portal.App.Tenants;
using Portal.Kernel;
using Portal.Web.Access;

namespace Portal.Web.Components;

/// <summary>
/// A part of a page that asks handlers in the name of whoever looks. What it reads first is read once for prerendering and circuit together; what
/// it follows makes it look again.
/// </summary>
public abstract class PortalPage : LiveComponent
{
    private static readonly TimeSpan s_nextTry = TimeSpan.FromSeconds(5);

    private IDisposable? _following;
    private HashSet<Topic> _topics = [];
    private Actor? _me;
    private bool _handedOver;
    private bool _faulted;
    private bool _retrying;

    [Inject]
    private TimeProvider Clock { get; set; } = default!;

    [Inject]
    private CurrentActor CurrentActor { get; set; } = default!;

    [Inject]
    private Prerendered Prerendered { get; set; } = default!;

    [Inject]
    private ChangeFeed Feed { get; set; } = default!;

    [Inject]
    private AccessRules Access { get; set; } = default!;

    [Inject]
    protected NavigationManager Navigation { get; private set; } = default!;

    /// <summary>Who looks, as of the last question.</summary>
    protected Actor Me => _me ?? throw new InvalidOperationException("Nothing was asked yet.");

    /// <summary>Whether who looks may do this; what the handler says counts, this only decides what is offered.</summary>
    protected bool May(Permission permission) => _me is not null && Access.Allows(_me, permission);

    /// <summary>The same inside a tenant.</summary>
    protected bool May(Permission permission, TenantId tenant) => _me is not null && Access.Allows(_me, permission, tenant);

    /// <summary>Asks a handler as the person who looks; a fault comes back as a refusal with a reference.</summary>
    protected async Task<Result<T>> AskAsync<T>(Func<Actor, CancellationToken, Task<Result<T>>> ask)
    {
        var result = await AskAsync<T>(async ct =>
        {
            try
            {
                _me = await CurrentActor.GetAsync(ct);
                return await ask(_me, ct);
            }
            catch (SignedOutException)
            {
                return Result<T>.Of(new SignedOut());
            }
        });
        _faulted |= result.Refusal is PortalFault;
        return result;
    }

    /// <summary>
    /// Reads for the page. What prerendering read is taken over; where the page follows something, it is then looked at once more, since hints may
    /// have been missed meanwhile. Where the portal itself could not answer, it is tried again every few seconds.
    /// </summary>
    /// <param name="name">Tells apart what one page reads.</param>
    protected async Task<Result<T>> ReadAsync<T>(string name, Func<Actor, CancellationToken, Task<Result<T>>> ask)
    {
        var key = $"{GetType().Name}.{name} {Navigation.Uri}";
        if (!RendererInfo.IsInteractive)
        {
            var read = await AskAsync(ask);
            Prerendered.Keep(key, new Handed<T>(_me, read));
            return read;
        }

        if (Prerendered.TryTake<Handed<T>>(key, out var handed))
        {
            _me = handed.Me;
            _handedOver = true;
            LookOnceMore();
        }

        var result = handed?.Result ?? await AskAsync(ask);
        if (result.Refusal is PortalFault && !_retrying)
        {
            _retrying = true;
            Keep(TryAgainAsync);
        }

        return result;
    }

    /// <summary>Looks again on hints about these, and about nothing else. Call it before reading.</summary>
    protected void Follow(params Topic[] topics)
    {
        if (_topics.SetEquals(topics))
        {
            return;
        }

        _following?.Dispose();
        _topics = [.. topics];
        _following = topics.Length == 0 ? null : Watch(ct => Feed.WatchAsync(topics, ct), LookAgainAsync);
        LookOnceMore();
    }

    /// <summary>Follows one more topic beside those that are followed already.</summary>
    protected void FollowToo(Topic topic) => Follow([.. _topics.Append(topic)]);

    /// <summary>Reads again what is shown. Objects are replaced, nothing is reset: order, focus and typed text stay.</summary>
    protected virtual Task LookAgainAsync() => Task.CompletedTask;

    private void LookOnceMore()
    {
        if (_handedOver && _topics.Count > 0)
        {
            _handedOver = false;
            Keep(_ => InvokeAsync(LookAndRedrawAsync));
        }
    }

    private async Task TryAgainAsync(CancellationToken ct)
    {
        do
        {
            await Task.Delay(s_nextTry, Clock, ct);
            _faulted = false;
            await InvokeAsync(LookAndRedrawAsync);
        }
        while (_faulted);
        _retrying = false;
    }

    private async Task LookAndRedrawAsync()
    {
        await LookAgainAsync();
        StateHasChanged();
    }

    private sealed record Handed<T>(Actor? Me, Result<T> Result);
}

/// <summary>A page of one tenant, which its address names.</summary>
public abstract class TenantPage : PortalPage
{
    private TenantRow? _tenant;

    [Inject]
    private FindTenant.Handler Tenants { get; set; } = default!;

    /// <summary>The tenant's name in addresses.</summary>
    [Parameter]
    public string Tenant { get; set; } = "";

    /// <summary>The start of the addresses of this tenant's pages, without a slash at the end.</summary>
    protected string Base => $"/t/{Tenant}";

    /// <summary>The tenant, once it was found.</summary>
    protected TenantRow Found => _tenant ?? throw new InvalidOperationException("The tenant was not found yet.");

    /// <summary>Whether the page looks again when something in the tenant changes.</summary>
    protected virtual bool FollowsTenant => false;

    protected bool MayHere(Permission permission) => _tenant is not null && May(permission, _tenant.Id);

    /// <summary>Asks inside the tenant; one that is not there, or not for this person, comes back as not found.</summary>
    protected Task<Result<T>> AskHereAsync<T>(Func<TenantId, Actor, CancellationToken, Task<Result<T>>> ask) => AskAsync<T>(async (actor, ct) =>
    {
        if (_tenant?.Slug != Tenant)
        {
            var found = await Tenants.HandleAsync(new FindTenant.Request(Tenant), actor, ct);
            if (!found.TryGet(out _tenant, out var refusal))
            {
                return Result<T>.Of(refusal);
            }
        }

        FollowTenant();
        return await ask(_tenant!.Id, actor, ct);
    });

    /// <summary>Reads inside the tenant, once for prerendering and circuit together.</summary>
    protected async Task<Result<T>> ReadHereAsync<T>(string name, Func<TenantId, Actor, CancellationToken, Task<Result<T>>> ask)
    {
        var read = await ReadAsync<Here<T>>(name, async (actor, ct) =>
        {
            var answer = await AskHereAsync(ask);
            return answer.TryGet(out var value, out var refusal) ? new Here<T>(_tenant!, value) : Result<Here<T>>.Of(refusal);
        });
        if (!read.TryGet(out var here, out var no))
        {
            return Result<T>.Of(no);
        }

        _tenant = here.Tenant;
        FollowTenant();
        return Result<T>.Of(here.Value);
    }

    private void FollowTenant()
    {
        if (FollowsTenant && _tenant is not null)
        {
            FollowToo(Topic.Of(_tenant.Id));
        }
    }

    private sealed record Here<T>(TenantRow Tenant, T Value);
}

/// <summary>The session has ended, or the account was disabled.</summary>
public sealed record SignedOut()
    : Refusal("access.signed_out", "You are signed out. Sign in again to go on.")
{
    public override RefusalKind Kind => RefusalKind.Forbidden;
}
