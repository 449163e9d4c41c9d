namespace Portal.Benchmarks.Client;

/// <summary>
/// The orders that a run places, kept so that they and their VMs are taken back at its end, also after Ctrl-C. An order whose answer never came
/// is found again by its Idempotency-Key.
/// </summary>
internal sealed class Made(PortalClient requester, Guid tenant)
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(3);

    private readonly List<Entry> _entries = [];

    /// <summary>Places an order with a key of its own.</summary>
    public async Task<(Placed Placed, string Key)> OrderAsync(OrderRequest order, CancellationToken ct)
    {
        var entry = new Entry(order, Guid.CreateVersion7().ToString());
        _entries.Add(entry);
        var placed = await requester.OrderAsync(tenant, order, entry.Key, ct);
        entry.Order = placed.Id;
        return (placed, entry.Key);
    }

    /// <summary>What is gone already needs no more care.</summary>
    public void Forget(Guid order) => _entries.RemoveAll(e => e.Order == order);

    /// <summary>Cancels what waits and deletes what was built. Safe to repeat.</summary>
    /// <returns>What was removed, a line each.</returns>
    /// <exception cref="Shortfall">Something stays; the message names it.</exception>
    public async Task<IReadOnlyList<string>> RemoveAsync(CancellationToken ct)
    {
        List<string> removed = [];
        foreach (var entry in _entries.ToList())
        {
            var id = entry.Order ?? (await requester.OrderAsync(tenant, entry.Request, entry.Key, ct)).Id;
            removed.AddRange(await RemoveAsync(id, ct));
            _entries.Remove(entry);
        }

        return removed;
    }

    private async Task<IReadOnlyList<string>> RemoveAsync(Guid id, CancellationToken ct)
    {
        var details = await requester.GetAsync<OrderDetails>($"orders/{id}", ct);
        if (details.Order.State == "Waiting")
        {
            await requester.PostAsync($"tenants/{tenant}/orders/{id}/cancel", null, ct);
            return [$"order {details.Order.Number} is cancelled"];
        }

        List<string> removed = [];
        foreach (var vm in details.Vms.Where(v => v.Stage != "Deleted"))
        {
            await DeleteAsync(vm, ct);
            removed.Add($"VM {vm.Name} is deleted");
        }

        return removed;
    }

    private async Task DeleteAsync(OrderedVm vm, CancellationToken ct)
    {
        // A build is called off first; whatever else is under way ends by itself.
        if ((await requester.GetAsync<VmDetails>($"tenants/{tenant}/vms/{vm.Id}", ct)).Live is { } live)
        {
            if (live.CanCancel && live.Kind == "Build")
            {
                await requester.PostAsync($"tenants/{tenant}/operations/{live.Id}/cancel", null, ct);
            }

            await requester.FollowAsync(live.Id, _ => { }, s_limit, ct);
        }

        var details = await requester.GetAsync<VmDetails>($"tenants/{tenant}/vms/{vm.Id}", ct);
        if (details.Stage == "Deleted")
        {
            return;
        }

        var accepted = await requester.DeleteAsync<Accepted>($"tenants/{tenant}/vms/{vm.Id}?confirmName={vm.Name}", ct);
        var ended = await requester.FollowAsync(accepted.Operation, _ => { }, s_limit, ct);
        if (ended.State != "Succeeded")
        {
            throw new Shortfall($"VM {vm.Name} could not be deleted: {ended.Problem} Delete it on its page.");
        }
    }

    private sealed class Entry(OrderRequest request, string key)
    {
        public OrderRequest Request => request;

        public string Key => key;

        /// <summary>Null until the portal has answered.</summary>
        public Guid? Order { get; set; }
    }
}
