using System.Formats.Tar;
using System.IO.Compression;

namespace Portal.Script.Tests;

public sealed class DiagnoseTests
{
    private static readonly string[] s_planted =
    [
        "planted-in-accounts-7Q", "planted-in-admin-7Q", "planted-in-connection-7Q", "planted-in-log-7Q", "planted-in-token-7Q", "planted-in-query-7Q",
        "planted-in-url-7Q", "cGxhbnRlZC1pbi1rZXk3UQ", "planted-in-environment-7Q", "planted.person", "planted-bare-word-7Q", "AAAAC3plantedssh7Q",
    ];

    [Fact]
    public async Task The_bundle_has_the_logs_and_no_secret_that_was_planted_anywhere()
    {
        var ct = Xunit.TestContext.Current.CancellationToken;
        await using var script = new PortalScript
        {
            Environment =
            {
                ["PORTAL_ADMIN_PASSWORD"] = "planted-in-admin-7Q",
                ["ConnectionStrings__Portal"] = "Host=db.example;Username=portal;Password=planted-in-connection-7Q",
                ["SMTP_PASSWORD"] = "planted-in-environment-7Q",
            },
        };
        await script.RunAsync("pg", "start");
        await File.WriteAllTextAsync(script.InData("accounts.txt"), "administrator planted.person@portal.example planted-in-accounts-7Q\nother planted.person@portal.example planted-bare-word-7Q\n", ct);
        await File.WriteAllTextAsync(script.InData("log/portal.log"), """
            this line must arrive
            signing in as planted.person@portal.example with planted-bare-word-7Q failed
            Password = planted-in-log-7Q; Host=x
            {"token": "planted-in-token-7Q", "rest": "kept"}
            authorization: Bearer planted-in-token-7Q
            GET /console?ticket=planted-in-query-7Q&size=80
            postgres://portal:planted-in-url-7Q@db.example/portal
            ssh-ed25519 AAAAC3plantedssh7Q someone
            -----BEGIN OPENSSH PRIVATE KEY-----
            cGxhbnRlZC1pbi1rZXk3UQ
            -----END OPENSSH PRIVATE KEY-----
            planted-in-connection-7Q planted-in-admin-7Q planted-in-environment-7Q
            last line

            """, ct);
        var database = (await File.ReadAllTextAsync(script.InData("postgres.pass"), ct)).Trim().Split(':')[^1];

        var said = await script.RunAsync("diagnose");
        var bundle = Assert.Single(Directory.GetFiles(script.Home, "*.tar.gz"));
        var text = await TextAsync(bundle, ct);

        Assert.True(said.Code == 0, said.All);
        Assert.Contains("this line must arrive", text, StringComparison.Ordinal);
        Assert.Contains("last line", text, StringComparison.Ordinal);
        Assert.Contains("\"rest\": \"kept\"", text, StringComparison.Ordinal);
        Assert.Contains("PostgreSQL 15", text, StringComparison.Ordinal);
        Assert.All(s_planted.Append(database), secret => Assert.DoesNotContain(secret, text, StringComparison.Ordinal));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(bundle));
    }

    private static async Task<string> TextAsync(string bundle, CancellationToken ct)
    {
        await using var file = File.OpenRead(bundle);
        await using var unpacked = new GZipStream(file, CompressionMode.Decompress);
        await using var tar = new TarReader(unpacked);
        var text = "";
        while (await tar.GetNextEntryAsync(copyData: true, ct) is { } entry)
        {
            text += entry.Name + "\n";
            if (entry.DataStream is not null)
            {
                using var reader = new StreamReader(entry.DataStream);
                text += await reader.ReadToEndAsync(ct);
            }
        }

        return text;
    }
}
