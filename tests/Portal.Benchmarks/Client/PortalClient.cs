using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Portal.Benchmarks.Client;

/// <summary>One person's session with a portal, over REST with a bearer token.</summary>
internal sealed class PortalClient : IDisposable
{
    private const string Root = "api/v1/";

    private readonly HttpClient _http;

    private PortalClient(Uri portal)
    {
        Portal = portal;
        _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = portal, Timeout = TimeSpan.FromSeconds(100) };
    }

    public Uri Portal { get; }

    public Me Me { get; private set; } = null!;

    public string Bearer => _http.DefaultRequestHeaders.Authorization?.Parameter ?? throw new InvalidOperationException("Nobody is signed in.");

    /// <summary>Signs in, and asks who that is.</summary>
    /// <exception cref="PortalSaidNo">The password is wrong, or the account is locked.</exception>
    public static async Task<PortalClient> SignInAsync(Uri portal, Account account, CancellationToken ct)
    {
        var client = new PortalClient(portal);
        try
        {
            var token = await client.PostAsync<Token>("sign-in", new { email = account.Email, password = account.Password }, ct);
            client._http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.AccessToken);
            client.Me = await client.GetAsync<Me>("me", ct);
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    public Task<T> GetAsync<T>(string path, CancellationToken ct) => SendAsync<T>(new HttpRequestMessage(HttpMethod.Get, Root + path), ct);

    public Task<T> PostAsync<T>(string path, object? body, CancellationToken ct) => SendAsync<T>(Posting(path, body), ct);

    public Task<T> DeleteAsync<T>(string path, CancellationToken ct) => SendAsync<T>(new HttpRequestMessage(HttpMethod.Delete, Root + path), ct);

    public async Task PostAsync(string path, object? body, CancellationToken ct)
    {
        using var request = Posting(path, body);
        using var response = await _http.SendAsync(request, ct);
        await CheckAsync(request, response, ct);
    }

    public Task<Placed> OrderAsync(Guid tenant, OrderRequest order, string key, CancellationToken ct)
    {
        var request = Posting($"tenants/{tenant}/orders", order);
        request.Headers.Add("Idempotency-Key", key);
        return SendAsync<Placed>(request, ct);
    }

    /// <summary>A look at an address outside the API, for its time alone.</summary>
    public async Task TouchAsync(string path, CancellationToken ct)
    {
        using var response = await _http.GetAsync(new Uri(path, UriKind.Relative), ct);
        response.EnsureSuccessStatusCode();
        await response.Content.ReadAsByteArrayAsync(ct);
    }

    public void Dispose() => _http.Dispose();

    private static HttpRequestMessage Posting(string path, object? body) =>
        new(HttpMethod.Post, Root + path) { Content = body is null ? null : JsonContent.Create(body, body.GetType(), options: JsonSerializerOptions.Web) };

    private async Task<T> SendAsync<T>(HttpRequestMessage request, CancellationToken ct)
    {
        using (request)
        {
            using var response = await _http.SendAsync(request, ct);
            await CheckAsync(request, response, ct);
            return await response.Content.ReadFromJsonAsync<T>(JsonSerializerOptions.Web, ct)
                ?? throw new Shortfall($"The portal answered {request.Method} {request.RequestUri} with nothing. Is {Portal} a portal?");
        }
    }

    private static async Task CheckAsync(HttpRequestMessage request, HttpResponseMessage response, CancellationToken ct)
    {
        if (response.IsSuccessStatusCode)
        {
            return;
        }

        Problem? problem = null;
        if (response.Content.Headers.ContentType?.MediaType == "application/problem+json")
        {
            problem = await response.Content.ReadFromJsonAsync<Problem>(JsonSerializerOptions.Web, ct);
        }

        // Sending has made the address whole.
        throw new PortalSaidNo(request.Method, request.RequestUri!.PathAndQuery, response.StatusCode, problem);
    }
}
