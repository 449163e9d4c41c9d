using System.Text;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;
using Portal.App.Outbox;
using Portal.App.Setup;

namespace Portal.Web.Hosting;

/// <summary>What happens once before the portal serves.</summary>
internal static class Start
{
    /// <summary>Fills an empty portal, registers this machine, and tells the accounts that it made.</summary>
    /// <exception cref="SetupException">Something that was given cannot be used; the message says what to change.</exception>
    public static async Task PrepareAsync(WebApplication app, CancellationToken ct)
    {
        if (app.Services.GetRequiredService<IOptions<MailOptions>>().Value.IsSet && app.Services.GetRequiredService<IOptions<PortalOptions>>().Value.PublicUri is null)
        {
            throw new SetupException("Mail__Host is set and Portal__PublicUrl is not: links in mails would lead nowhere. Set it to the address that people use, such as https://portal.example.org.");
        }

        await Database.MigrateAsync(app.Services, ct);
        var data = Path.GetFullPath(app.Configuration["PORTAL_DATA"] ?? "var");
        var pool = Path.GetFullPath(app.Configuration["PORTAL_POOL"] ?? Path.Combine(data, "pool"));
        var request = new FirstRunRequest(
            app.Services.GetRequiredService<IOptions<PortalOptions>>().Value.Engine,
            pool,
            await InstancesAsync(data, ct),
            app.Configuration["PORTAL_ADMIN_EMAIL"],
            app.Configuration["PORTAL_ADMIN_PASSWORD"]);
        await using var scope = app.Services.CreateAsyncScope();
        var made = await scope.ServiceProvider.GetRequiredService<FirstRun>().RunAsync(request, new FirstRunNotes(accounts => KeepAsync(data, accounts, ct), instance => NoteInstanceAsync(data, instance, ct)), ct);
        if (made.Count > 0)
        {
            Console.WriteLine(Describe(made));
        }
    }

    /// <summary>Says where the portal is, when it is there.</summary>
    public static void Announce(WebApplication app) => app.Lifetime.ApplicationStarted.Register(() =>
    {
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
        // 127.0.0.1 is not a secure context for everything a browser offers; localhost is.
        Console.WriteLine($"Portal is ready at {string.Join(" ", addresses.Select(a => a.Replace("127.0.0.1", "localhost", StringComparison.Ordinal)))}");
    });

    private static async Task KeepAsync(string data, IReadOnlyList<MadeAccount> accounts, CancellationToken ct)
    {
        Directory.CreateDirectory(data);
        var file = Path.Combine(data, "accounts.txt");
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using var writer = new StreamWriter(file, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), options);
        await writer.WriteAsync(Describe(accounts).AsMemory(), ct);
    }

    private static async Task<IReadOnlyList<string>> InstancesAsync(string data, CancellationToken ct)
    {
        var file = Path.Combine(data, "instance");
        return File.Exists(file) ? [.. (await File.ReadAllLinesAsync(file, ct)).Where(line => line.Length > 0)] : [];
    }

    // `./portal down --all` removes the domains of this portal and of no other; it works when the database is down.
    private static async Task NoteInstanceAsync(string data, string instance, CancellationToken ct)
    {
        Directory.CreateDirectory(data);
        var instances = await InstancesAsync(data, ct);
        if (!instances.Contains(instance))
        {
            var whole = Path.Combine(data, "instance");
            await File.WriteAllLinesAsync(whole + ".new", [.. instances, instance], ct);
            File.Move(whole + ".new", whole, overwrite: true);
        }
    }

    private static string Describe(IReadOnlyList<MadeAccount> accounts)
    {
        var text = new StringBuilder("Accounts (change the passwords after the first sign-in):\n");
        foreach (var account in accounts)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"  {account.Email}  {account.Password ?? "(given)"}  {account.For}\n");
        }

        return text.ToString();
    }
}
