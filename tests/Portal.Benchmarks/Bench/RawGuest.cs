using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;

namespace Portal.Benchmarks.Bench;

/// <summary>
/// The floor of a build: a domain like one of the portal's, made with the host's own commands one after the other, and nothing else. Its
/// description is the one of the portal's domain with other names and paths.
/// </summary>
internal sealed class RawGuest : IAsyncDisposable
{
    private const UnixFileMode Passable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private static readonly string[] s_virsh = ["--connect", "qemu:///system", "--quiet"];
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan s_boot = TimeSpan.FromMinutes(3);

    private readonly string _name = $"portal-bench-{Guid.CreateVersion7():N}";
    private readonly string _directory;
    private readonly XElement _domain;
    private readonly string _template;
    private readonly string _size;

    private RawGuest(string pool, XElement domain, string template, string size)
    {
        _directory = Path.Combine(pool, _name);
        _domain = domain;
        _template = template;
        _size = size;
    }

    public string ConsoleSocket => Path.Combine(_directory, "s");

    private string Disk => Path.Combine(_directory, "disk.qcow2");

    private string Seed => Path.Combine(_directory, "seed.iso");

    private string SeedFiles => Path.Combine(_directory, "seed");

    private string Description => Path.Combine(_directory, "domain.xml");

    private string ConsoleLog => Path.Combine(_directory, "console.log");

    /// <summary>Prepares files and description; nothing of it is part of the time.</summary>
    /// <param name="domain">The portal's domain that it is to be like; on this machine.</param>
    public static async Task<RawGuest> LikeAsync(string domain, CancellationToken ct)
    {
        var xml = XElement.Parse(await Tool.RunAsync("virsh", [.. s_virsh, "dumpxml", "--inactive", domain], ct));
        var disk = xml.Descendants("disk").Single(d => d.Element("driver")?.Attribute("type")?.Value == "qcow2").Element("source")!.Attribute("file")!.Value;
        using var info = JsonDocument.Parse(await Tool.RunAsync("qemu-img", ["info", "-f", "qcow2", "--output=json", "--force-share", disk], ct));
        var raw = new RawGuest(
            Path.GetDirectoryName(Path.GetDirectoryName(disk))!,
            xml,
            info.RootElement.GetProperty("full-backing-filename").GetString()!,
            info.RootElement.GetProperty("virtual-size").GetInt64().ToString(CultureInfo.InvariantCulture));
        try
        {
            await raw.PrepareAsync(ct);
            return raw;
        }
        catch
        {
            await raw.DisposeAsync();
            throw;
        }
    }

    /// <summary>Disk, seed, define, start, and the guest's first line on its serial line.</summary>
    public async Task<TimeSpan> BuildAsync(CancellationToken ct)
    {
        var clock = TimeProvider.System;
        var began = clock.GetTimestamp();
        await Tool.RunAsync("qemu-img", ["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", _template, Disk, _size], ct);
        await Tool.RunAsync("genisoimage", ["-quiet", "-V", "cidata", "-r", "-J", "-o", Seed, SeedFiles], ct);
        await Tool.RunAsync("virsh", [.. s_virsh, "define", Description], ct);
        await Tool.RunAsync("virsh", [.. s_virsh, "start", _name], ct);
        await LoggedAsync("\n", ct);
        return clock.GetElapsedTime(began);
    }

    /// <summary>Signs in on the serial line, and leaves a program running there that does nothing with what is typed.</summary>
    public async Task<Socket> SignInAsync(CancellationToken ct)
    {
        await LoggedAsync("login: ", ct);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(ConsoleSocket), ct);
        foreach (var (typed, answer) in new[] { ("root\r", "# "), ("cat\r", "cat\r\n") })
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes(typed), ct);
            var heard = "";
            var buffer = new byte[4096];
            while (!heard.Contains(answer, StringComparison.Ordinal))
            {
                heard += Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer, ct));
            }
        }

        return socket;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var verb in new[] { "destroy", "undefine" })
        {
            try
            {
                await Tool.RunAsync("virsh", [.. s_virsh, verb, _name], CancellationToken.None);
            }
            catch (Shortfall)
            {
                // It never got that far, or is off already.
            }
        }

        if (Directory.Exists(_directory))
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    private async Task PrepareAsync(CancellationToken ct)
    {
        Directory.CreateDirectory(_directory, Passable);
        Directory.CreateDirectory(SeedFiles);
        await File.WriteAllTextAsync(Path.Combine(SeedFiles, "user-data"), "#cloud-config\n{ \"hostname\": \"bench\" }\n", ct);
        await File.WriteAllTextAsync(Path.Combine(SeedFiles, "meta-data"), $$"""{ "instance-id": "{{_name}}", "local-hostname": "bench" }""" + "\n", ct);
        await File.WriteAllTextAsync(Path.Combine(SeedFiles, "network-config"), """{ "version": 2, "ethernets": {} }""" + "\n", ct);

        _domain.Elements().Where(e => e.Name.LocalName is "uuid" or "title" or "metadata").Remove();
        _domain.SetElementValue("name", _name);
        foreach (var (disk, path) in _domain.Descendants("disk").Zip([Disk, Seed]))
        {
            disk.Element("source")!.SetAttributeValue("file", path);
        }

        foreach (var line in _domain.Descendants().Where(e => e.Name.LocalName is "serial" or "console"))
        {
            line.Element("source")?.SetAttributeValue("path", ConsoleSocket);
            line.Element("log")?.SetAttributeValue("file", ConsoleLog);
        }

        await File.WriteAllTextAsync(Description, _domain.ToString(), ct);
    }

    private async Task LoggedAsync(string text, CancellationToken ct)
    {
        var there = await Client.Following.UntilAsync(
            async () => File.Exists(ConsoleLog) && (await File.ReadAllTextAsync(ConsoleLog, ct)).Contains(text, StringComparison.Ordinal), so => so, s_look, s_boot, ct);
        if (!there)
        {
            throw new Shortfall($"The guest made by hand did not say '{text.Trim()}' within {s_boot.TotalSeconds:0} s.");
        }
    }
}
