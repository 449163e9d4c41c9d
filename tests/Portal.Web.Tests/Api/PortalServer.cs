using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text.Json;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Testing;
using Portal.Testing.Postgres;

namespace Portal.Web.Tests.Api;

/// <summary>The portal as it is deployed, on a PostgreSQL and a simulated host of its own; spoken to over HTTP as a program would.</summary>
public sealed class PortalServer(PostgresFixture postgres) : IAsyncLifetime
{
    private readonly string _data = Directory.CreateTempSubdirectory("portal-web-").FullName;
    private TestDatabase? _database;
    private WebApplicationFactory<Program>? _portal;

    /// <summary>As the first run tells them.</summary>
    public const string Administrator = "admin@portal.example";
    public const string Approver = "approver@portal.example";
    public const string Owner = "tenant@portal.example";

    public TestDatabase Database => _database ?? throw new InvalidOperationException("Not started.");

    /// <summary>The first run's tenant.</summary>
    public Guid Tenant { get; private set; }

    public IServiceProvider Services => Portal.Services;

    private WebApplicationFactory<Program> Portal => _portal ?? throw new InvalidOperationException("Not started.");

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.NewEmptyAsync(CancellationToken.None);
        _portal = new WebApplicationFactory<Program>().WithWebHostBuilder(builder => builder
            .UseSetting("ConnectionStrings:Portal", _database.ConnectionString)
            .UseSetting("Portal:Engine", "simulated")
            .UseSetting("PORTAL_DATA", _data)
            // Hangfire keeps the log of whichever portal started last in this process. Its factory must outlive that portal, or another one's job server
            // finds it disposed and does not start.
            .ConfigureServices(services => services.AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance)));
        var owner = await SignedInAsync(Owner);
        Tenant = (await owner.GetFromJsonAsync<JsonElement>("/api/v1/tenants"))[0].GetProperty("id").GetGuid();
        // The host was looked at, and the image is built.
        var administrator = await SignedInAsync(Administrator);
        await Eventually.IsAsync(async () =>
        {
            var steps = await administrator.GetFromJsonAsync<JsonElement>("/api/v1/setup");
            return steps.EnumerateArray().Where(s => s.GetProperty("step").GetString() is "Host" or "Template").All(s => s.GetProperty("done").GetBoolean());
        }, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        if (_portal is not null)
        {
            await _portal.DisposeAsync();
        }

        if (_database is not null)
        {
            await _database.DisposeAsync();
        }

        Directory.Delete(_data, recursive: true);
    }

    public HttpClient Anonymous() => Portal.CreateClient(new WebApplicationFactoryClientOptions { AllowAutoRedirect = false });

    public async Task<string> PasswordAsync(string email)
    {
        // The first run keeps what it made beside the data: "  address  password  for what".
        _ = Portal.Server;
        var line = (await File.ReadAllLinesAsync(Path.Combine(_data, "accounts.txt"))).Single(l => l.Contains(email, StringComparison.Ordinal));
        return line.Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[1];
    }

    /// <summary>A client with the person's token.</summary>
    public async Task<HttpClient> SignedInAsync(string email, string? password = null)
    {
        var client = Anonymous();
        var answer = await client.PostAsJsonAsync("/api/v1/sign-in", new { email, password = password ?? await PasswordAsync(email) });
        answer.EnsureSuccessStatusCode();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await JsonAsync(answer)).GetProperty("accessToken").GetString());
        return client;
    }

    /// <summary>Orders, has it approved, and waits until it runs.</summary>
    public async Task<Guid> RunningVmAsync(string name, CancellationToken ct)
    {
        var owner = await SignedInAsync(Owner);
        var placed = await JsonAsync(await owner.PostAsJsonAsync($"/api/v1/tenants/{Tenant}/orders", new { lines = new[] { new { template = "tiny-linux", plan = "Nano", name } } }, ct));
        var order = placed.GetProperty("id").GetGuid();
        var approver = await SignedInAsync(Approver);
        (await approver.PostAsJsonAsync($"/api/v1/orders/{order}/decision", new { verdict = "Approve" }, ct)).EnsureSuccessStatusCode();
        var vm = (await owner.GetFromJsonAsync<JsonElement>($"/api/v1/orders/{order}", ct)).GetProperty("vms")[0].GetProperty("id").GetGuid();
        await Eventually.IsAsync(async () => await StatusAsync(owner, vm, ct) == "Running", ct);
        return vm;
    }

    public async Task<string?> StatusAsync(HttpClient client, Guid vm, CancellationToken ct) =>
        (await client.GetFromJsonAsync<JsonElement>($"/api/v1/tenants/{Tenant}/vms/{vm}", ct)).GetProperty("vm").GetProperty("status").GetString();

    /// <summary>Opens the console's socket as a page of <paramref name="origin"/> would; null sends no Origin, as programs do.</summary>
    public async Task<WebSocket> ConnectAsync(IEnumerable<string> protocols, string? origin, CancellationToken ct)
    {
        var sockets = Portal.Server.CreateWebSocketClient();
        foreach (var protocol in protocols)
        {
            sockets.SubProtocols.Add(protocol);
        }

        sockets.ConfigureRequest = request =>
        {
            if (origin is not null)
            {
                request.Headers.Origin = origin;
            }
        };
        return await sockets.ConnectAsync(new Uri(Portal.Server.BaseAddress, "/console"), ct);
    }

    public static async Task<JsonElement> JsonAsync(HttpResponseMessage answer) => await answer.Content.ReadFromJsonAsync<JsonElement>();
}
