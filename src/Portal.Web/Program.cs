using Portal.App;
using Portal.App.Setup;
using Portal.Web.Access;
using Portal.Web.Api;
using Portal.Web.Components;
using Portal.Web.Consoles;
using Portal.Web.Hosting;

Inherited.KeepFromChildren();
// A published portal serves the files beside it, from whatever directory it was started: a checkout has a wwwroot of its own, which lacks the libraries' files.
var published = Directory.Exists(Path.Combine(AppContext.BaseDirectory, "wwwroot"));
var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = published ? AppContext.BaseDirectory : null });
Defaults.Add(builder.Configuration);
builder.WebHost.ConfigureKestrel(kestrel =>
{
    kestrel.AddServerHeader = false;
    // No form and no JSON body of the portal comes near this.
    kestrel.Limits.MaxRequestBodySize = 1 << 20;
});
builder.Services.AddOptions<PortalOptions>().Bind(builder.Configuration.GetSection(PortalOptions.Section)).ValidateOnStart();
builder.Services.AddSingleton<Microsoft.Extensions.Options.IValidateOptions<PortalOptions>, PortalOptionsValidator>();
builder.Services.AddPortalDatabase(builder.Configuration);
builder.Services.AddSingleton(new Portal.Engine.EngineOptions { WorkPath = Path.Combine(Path.GetFullPath(builder.Configuration["PORTAL_DATA"] ?? "var"), "work") });
builder.Services.AddPortalApp(builder.Configuration);
builder.Services.AddPortalSignIn();
builder.Services.AddPortalHealth();
builder.Services.AddPortalApi();
builder.Services.AddScoped<CurrentActor>();
builder.Services.AddPortalPages();
builder.Services.AddRazorComponents().AddInteractiveServerComponents()
    // The longest field is user data: 16 Ki characters, of at most six bytes each on their way.
    .AddHubOptions(hub => hub.MaximumReceiveMessageSize = 128 * 1024);
builder.Services.AddHsts(hsts => hsts.MaxAge = TimeSpan.FromDays(180));
builder.Services.AddOptions<ForwardedHeadersOptions>().Configure<Microsoft.Extensions.Options.IOptions<PortalOptions>>(Edge.Trust);
var alone = args.Contains("--migrate") || args.Contains("--password-link") || args.Contains("--lab-host");
if (!alone)
{
    builder.Services.AddPortalJobs();
    builder.Services.AddPortalWorkers();
}

var app = builder.Build();
if (args.Contains("--migrate"))
{
    await Database.MigrateAsync(app.Services, CancellationToken.None);
    Console.WriteLine("The database's schema is up to date.");
    return 0;
}

if (args is [.., "--lab-host", var labAddress, var labPort, var labKey])
{
    return await LabHosts.PrintAsync(app.Services, labAddress, labPort, labKey, CancellationToken.None);
}

if (args is [.., "--password-link", var email])
{
    return await PasswordLinks.PrintAsync(app.Services, email, CancellationToken.None);
}

try
{
    await Start.PrepareAsync(app, CancellationToken.None);
}
catch (SetupException e)
{
    await Console.Error.WriteLineAsync(e.Message);
    return 1;
}

app.UseForwardedHeaders();
app.UseHsts();
app.UsePortalHeaders();
app.UseExceptionHandler(Faulted.Handle);
app.UseStatusCodePagesWithReExecute("/not-found");
app.UseWebSockets();
app.UseRateLimiter();
app.UseAuthentication();
app.UseAuthorization();
app.UseAntiforgery();
app.MapStaticAssets();
app.MapPortalHealth();
app.MapPortalApi();
app.MapConsole();
app.MapRazorComponents<Root>().AddInteractiveServerRenderMode();
Start.Announce(app);
await app.RunAsync();
return 0;

/// <summary>The portal's entry, named so that tests can start it.</summary>
public partial class Program;
