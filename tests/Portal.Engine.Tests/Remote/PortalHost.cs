using System.Diagnostics;
using Portal.Engine.Remote;

namespace Portal.Engine.Tests.Remote;

/// <summary>portal-host itself, on this machine, in a directory of its own and without SSH.</summary>
internal sealed class PortalHost : IDisposable
{
    public const string Instance = "0123abcd";

    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("portal-host-");

    public PortalHost() => File.WriteAllText(Path.Combine(_home.FullName, "conf"), $"# for tests\ninstance {Instance}\nvg vg0\nvg vg.swap\npool vg0/thin\ndevice /dev/sdb1\n");

    /// <summary>As the host's administrator does who writes a line more.</summary>
    public void Configure(string line) => File.AppendAllText(Path.Combine(_home.FullName, "conf"), line + "\n");

    /// <summary>Takes back what <see cref="Configure"/> wrote.</summary>
    public void Unconfigure() => File.WriteAllLines(Path.Combine(_home.FullName, "conf"), File.ReadAllLines(Path.Combine(_home.FullName, "conf")).Take(4));

    public string Base => Path.Combine(_home.FullName, "base");

    /// <summary>A volume as a plain file, where portal-host looks for it in a test.</summary>
    public string PutVolume(string group, string name, ReadOnlySpan<byte> content)
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(Base, "dev", group)).FullName, name);
        File.WriteAllBytes(path, content);
        return path;
    }

    public Link Start()
    {
        var program = Path.Combine(AppContext.BaseDirectory, "portal-host");
        var start = new ProcessStartInfo("perl", ["-T", program, "--here", Path.Combine(_home.FullName, "conf"), Base])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("SUDO_USER");
        start.Environment.Remove("SSH_CONNECTION");
        return new Link(Process.Start(start) ?? throw new InvalidOperationException("perl did not start."));
    }

    /// <summary>As <see cref="Start"/>; kept in a list for who wants to look at it.</summary>
    public Link Started(List<Link> links)
    {
        links.Add(Start());
        return links[^1];
    }

    public async Task<HostChannel> ConnectAsync(CancellationToken ct)
    {
        var channel = new HostChannel(Start(), TimeProvider.System);
        await channel.GreetedAsync(TimeSpan.FromSeconds(30), ct);
        return channel;
    }

    public void Dispose() => _home.Delete(recursive: true);

    internal sealed class Link(Process process) : IHostLink
    {
        private Task _pump = Task.CompletedTask;

        /// <summary>What it complained of itself, once it has ended.</summary>
        public Task<string> ComplaintsAsync() => process.StandardError.ReadToEndAsync();

        /// <summary>As a network does that breaks: portal-host sees its end, the portal sees its own.</summary>
        public void Break() => process.StandardInput.Close();

        public bool HasEnded => process.HasExited;

        /// <summary>Until it has ended and all that it said was heard.</summary>
        public Task Ended => _pump;

        public void Listen(Action<ReadOnlyMemory<byte>> received, Action<string> closed) => _pump = PumpAsync(received, closed);

        public async Task SendAsync(ReadOnlyMemory<byte> data, CancellationToken ct)
        {
            try
            {
                await process.StandardInput.BaseStream.WriteAsync(data, ct);
                await process.StandardInput.BaseStream.FlushAsync(ct);
            }
            catch (Exception broken) when (broken is IOException or ObjectDisposedException)
            {
                throw new HostFaultException("The link is down.", broken);
            }
        }

        public async ValueTask DisposeAsync()
        {
            process.StandardInput.Close();
            await process.WaitForExitAsync();
            await _pump;
            process.Dispose();
        }

        private async Task PumpAsync(Action<ReadOnlyMemory<byte>> received, Action<string> closed)
        {
            var buffer = new byte[4096];
            int length;
            while ((length = await process.StandardOutput.BaseStream.ReadAsync(buffer)) > 0)
            {
                received(buffer.AsMemory(0, length));
            }

            closed("portal-host has gone.");
        }
    }
}
