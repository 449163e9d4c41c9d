using System.Globalization;
using System.Text;
using Portal.Kernel;
using Renci.SshNet;

namespace Portal.Benchmarks.Engine;

/// <summary>The lab's host, past the portal: one connection of its root, over which the same commands are run that the engine runs.</summary>
internal sealed class LabRoot : IDisposable
{
    private readonly SshClient _client;

    private LabRoot(SshClient client, int port, SshPublicKey key)
    {
        _client = client;
        Port = port;
        Key = key;
    }

    public int Port { get; }

    /// <summary>The host's own key, known since it was made.</summary>
    public SshPublicKey Key { get; }

    /// <summary>The lab that `./portal lab up` has started, in the directory that PORTAL_LAB names.</summary>
    /// <exception cref="Shortfall">There is none.</exception>
    public static async Task<LabRoot> ConnectAsync(CancellationToken ct)
    {
        var lab = Environment.GetEnvironmentVariable("PORTAL_LAB") ?? throw new Shortfall("PORTAL_LAB names no lab. ./portal bench engine starts one by itself.");
        var port = int.Parse(await File.ReadAllTextAsync(Path.Combine(lab, "port"), ct), CultureInfo.InvariantCulture);
        if (!SshPublicKey.TryParse(await File.ReadAllTextAsync(Path.Combine(lab, "host_key.pub"), ct), out var key))
        {
            throw new Shortfall($"{lab}/host_key.pub holds no key.");
        }

        var client = new SshClient("127.0.0.1", port, "root", new PrivateKeyFile(Path.Combine(lab, "id")));
        client.HostKeyReceived += (_, shown) => shown.CanTrust = Convert.ToBase64String(shown.HostKey) == key.Line.Split(' ')[1];
        await client.ConnectAsync(ct);
        return new LabRoot(client, port, key);
    }

    /// <summary>What it printed.</summary>
    /// <param name="input">What it reads.</param>
    /// <exception cref="Shortfall">It failed.</exception>
    public async Task<string> RunAsync(string command, CancellationToken ct, string input = "")
    {
        using var run = _client.CreateCommand(command);
        var ended = run.ExecuteAsync(ct);
        if (input.Length > 0)
        {
            await using var standardInput = run.CreateInputStream();
            await standardInput.WriteAsync(Encoding.UTF8.GetBytes(input), ct);
        }

        await ended;
        return run.ExitStatus == 0 ? run.Result : throw new Shortfall($"On the host, `{command.Split('\n')[0]}` ended with {run.ExitStatus}: {run.Error.Trim()}");
    }

    public void Dispose() => _client.Dispose();
}
