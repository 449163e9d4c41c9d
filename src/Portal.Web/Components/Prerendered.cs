using System.Security.Cryptography;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.Caching.Memory;

namespace Portal.Web.Components;

/// <summary>
/// Hands what was read while a page was prerendered to the circuit that takes the page over, so that it neither flashes empty nor reads twice.
/// The value stays in this process for half a minute under a random key; only the key travels through the browser. Where the circuit
/// starts in another process, or later, it simply reads again.
/// </summary>
public sealed class Prerendered(PersistentComponentState state, PrerenderStore store) : IDisposable
{
    private readonly List<PersistingComponentStateSubscription> _subscriptions = [];

    /// <summary>Keeps a value for the circuit that follows.</summary>
    public void Keep<T>(string name, T value)
        where T : notnull
    {
        var key = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));
        _subscriptions.Add(state.RegisterOnPersisting(() =>
        {
            store.Put(key, value);
            state.PersistAsJson(name, key);
            return Task.CompletedTask;
        }));
    }

    /// <summary>What was kept under the name, once.</summary>
    public bool TryTake<T>(string name, out T value)
        where T : notnull
    {
        if (state.TryTakeFromJson<string>(name, out var key) && key is not null && store.Take(key) is T kept)
        {
            value = kept;
            return true;
        }

        value = default!;
        return false;
    }

    public void Dispose() => _subscriptions.ForEach(s => s.Dispose());
}

/// <summary>The values on their way from prerendering to circuits.</summary>
public sealed class PrerenderStore : IDisposable
{
    private static readonly MemoryCacheEntryOptions s_briefly = new() { AbsoluteExpirationRelativeToNow = TimeSpan.FromSeconds(30), Size = 1 };

    private readonly MemoryCache _values = new(new MemoryCacheOptions { SizeLimit = 10_000 });

    internal void Put(string key, object value) => _values.Set(key, value, s_briefly);

    internal object? Take(string key)
    {
        var value = _values.Get(key);
        _values.Remove(key);
        return value;
    }

    public void Dispose() => _values.Dispose();
}
