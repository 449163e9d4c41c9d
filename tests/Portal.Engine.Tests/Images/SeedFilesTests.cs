using System.Text.Json;
using CsCheck;
using Portal.Engine.Images;
using Portal.Engine.Tests.Live;
using Portal.Kernel;

namespace Portal.Engine.Tests.Images;

public sealed class SeedFilesTests
{
    // The kinds of character that have broken seeds elsewhere.
    private static readonly Gen<string> s_comment = Gen.String[Gen.Char["ab'\"\\:#-{}[]&*!|>%@`$,? éu0041\u00a0\u2028"], 0, 40];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void A_key_with_any_comment_comes_out_as_it_went_in() =>
        s_comment.Sample(comment =>
        {
            if (!SshPublicKey.TryParse(An.Key + comment, out var key))
            {
                return true;
            }

            var files = SeedFiles.Of(An.Spec("deadbeef") with { SshKeys = [key, key] });
            using var meta = JsonDocument.Parse(files.MetaData);
            using var user = JsonDocument.Parse(files.UserData["#cloud-config\n".Length..]);
            return meta.RootElement.GetProperty("public-keys").EnumerateArray().All(item => item.GetString() == key.Line)
                && user.RootElement.GetProperty("ssh_authorized_keys")[1].GetString() == key.Line;
        });

    [Fact]
    public async Task The_guest_reads_what_was_written()
    {
        SshPublicKey[] keys =
        [
            .. s_comment.Array[100].Single()
                .Select(comment => An.Key + string.Concat(comment.Where(char.IsAscii)))
                .Select(line => SshPublicKey.TryParse(line, out var key) ? key : An.KeyOf(An.Key)),
        ];
        var spec = An.Spec("deadbeef") with { SshKeys = keys };
        var files = SeedFiles.Of(spec);

        var meta = await FlattenAsync(files.MetaData);
        var network = await FlattenAsync(files.NetworkConfig);

        Assert.Equal("web-5", meta["/local-hostname"]);
        Assert.Equal(spec.Name.Text, meta["/instance-id"]);
        Assert.Equal(keys.Select(key => key.Line), keys.Select((_, i) => meta[$"/public-keys/{i}"]));
        Assert.Equal("02:70:00:00:00:05", network["/ethernets/nic0/match/macaddress"]);
        Assert.Equal("10.77.0.5/16", network["/ethernets/nic0/addresses/0"]);
        Assert.Equal("10.77.2.2", network["/ethernets/nic0/routes/0/via"]);
        Assert.Equal("10.77.2.3", network["/ethernets/nic0/nameservers/addresses/0"]);
    }

    [Fact]
    public void The_digest_follows_the_content()
    {
        var spec = An.Spec("deadbeef");

        Assert.Equal(SeedFiles.Of(spec).Digest, SeedFiles.Of(spec).Digest);
        Assert.NotEqual(SeedFiles.Of(spec).Digest, SeedFiles.Of(spec with { SshKeys = [] }).Digest);
        var given = SeedFiles.Of(spec with { UserData = An.Data("#!/bin/sh\n") });
        Assert.NotEqual(SeedFiles.Of(spec).Digest, given.Digest);
        Assert.NotEqual(given.Digest, SeedFiles.Of(spec with { UserData = An.Data("#!/bin/sh\r\n") }).Digest);
    }

    [Fact]
    public void User_data_stands_in_an_archive_beside_the_portals_part()
    {
        var spec = An.Spec("deadbeef");

        var parts = SeedParts.Of(SeedFiles.Of(spec with { UserData = An.Data("#cloud-config\npackages: [nginx]\n") }).UserData);

        Assert.Equal(["text/cloud-config", "text/plain"], parts.Select(part => part.Type));
        Assert.Equal(SeedFiles.Of(spec).UserData, parts[0].Text);
        Assert.Equal("#cloud-config\npackages: [nginx]\n", parts[1].Text);
    }

    [Fact]
    public void An_archive_is_a_part_as_it_is()
    {
        const string Archive = "Content-Type: multipart/mixed; boundary=\"b\"\r\nMIME-Version: 1.0\r\n\r\n--b\r\nContent-Type: text/x-shellscript\r\n\r\n#!/bin/sh\r\n--b--\r\n";

        var files = SeedFiles.Of(An.Spec("deadbeef") with { UserData = An.Data(Archive) });

        Assert.Contains($"\n{Archive}\n--portal-", files.UserData, StringComparison.Ordinal);
        Assert.Equal(Archive, files.OwnerData?.Text);
    }

    [Fact]
    public async Task What_the_owner_gave_lies_in_the_image_to_the_byte()
    {
        var text = new string('\u20ac', UserData.MaxBytes / 3) + "\n";
        var directory = Directory.CreateTempSubdirectory("portal-seed-");
        try
        {
            var path = Path.Combine(directory.FullName, "seed.iso");
            Assert.True((await SeedImage.WriteAsync(SeedFiles.Of(An.Spec("deadbeef") with { UserData = An.Data(text) }), path, LibvirtHost.Shell, command => command, Ct)).Succeeded);
            var read = await LibvirtHost.Shell.RunAsync(new("isoinfo", ["-R", "-i", path, "-x", "/owner-data"], TimeSpan.FromSeconds(20)), Ct);

            Assert.Equal(text, read.Output);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    /// <summary>With the program that the guest has, and by the awk that the guest has.</summary>
    private static async Task<Dictionary<string, string>> FlattenAsync(string json)
    {
        using var resource = typeof(SeedFiles).Assembly.GetManifestResourceStream("TinyLinux/json.awk")!;
        var program = await new StreamReader(resource).ReadToEndAsync(Ct);
        var answer = await LibvirtHost.Shell.RunAsync(new("busybox", ["awk", program], TimeSpan.FromSeconds(20)) { Input = json }, Ct);
        Assert.True(answer.Succeeded, answer.Error);
        return answer.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
    }
}
