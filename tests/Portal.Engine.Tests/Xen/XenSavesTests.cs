using System.Text;
using Portal.Engine.Remote;
using Portal.Engine.Xen;

namespace Portal.Engine.Tests.Xen;

/// <summary>A host whose setting changes: what starts anew is of the new kind, what was saved goes on as what it was.</summary>
public sealed class XenSavesTests : IAsyncDisposable
{
    private static readonly DomainSpec s_spec = An.Spec("0badcafe");
    private static readonly string s_name = s_spec.Name.Text;

    private readonly Host _host = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_domain_is_written_anew_with_its_next_definition()
    {
        await DefineAsync(KernelGuests.Pv);
        Assert.Contains("type = \"pv\"\n", _host.Config, StringComparison.Ordinal);
        Assert.Equal(StepOutcome.AlreadyThere, await DefineAsync(KernelGuests.Pv));

        Assert.Equal(StepOutcome.Changed, await DefineAsync(KernelGuests.Pvh));

        Assert.Contains("type = \"pvh\"\n", _host.Config, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Memory_that_was_saved_goes_on_with_the_configuration_that_lies_in_its_file()
    {
        await DefineAsync(KernelGuests.Pv);
        _host.Saved = true;
        await DefineAsync(KernelGuests.Pvh);

        await DoAsync(KernelGuests.Pvh, (domains, act) => domains.StartAsync(act, s_spec.Name, Ct));

        Assert.Contains($"xl restore -p /var/lib/portal-host/saves/{s_name}", _host.Done);
        Assert.DoesNotContain(_host.Done, command => command.StartsWith("xl create", StringComparison.Ordinal));
        Assert.False(_host.Saved);
    }

    [Fact]
    public async Task Whether_memory_is_saved_is_told_of_what_is_off()
    {
        await DefineAsync(KernelGuests.Pv);
        Assert.False(await LookAsync());

        _host.Saved = true;

        Assert.True(await LookAsync());

        async Task<bool> LookAsync()
        {
            await using var xen = Xen(KernelGuests.Pv);
            var domains = new XenDomains(xen, TimeProvider.System);
            var looked = await domains.LookAsync(s_spec.Name, Ct);
            Assert.Equal([looked], await domains.ListAsync(Ct));
            return looked.Saved!.Value;
        }
    }

    [Fact]
    public async Task A_guest_whose_image_has_a_boot_loader_is_a_PC_whatever_the_setting()
    {
        foreach (var guests in Enum.GetValues<KernelGuests>())
        {
            await DefineAsync(guests, s_spec with { Template = new TemplateImage("alma-10", "1") { Boot = ImageBoot.Disk } });
            Assert.Contains("type = \"hvm\"\n", _host.Config, StringComparison.Ordinal);
        }
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private Task<StepOutcome> DefineAsync(KernelGuests guests, DomainSpec? spec = null) => DoAsync(guests, (domains, act) => domains.DefineAsync(act, spec ?? s_spec, Ct));

    private async Task<StepOutcome> DoAsync(KernelGuests guests, Func<XenDomains, XenActing, Task<Kernel.Result<StepOutcome>>> verb)
    {
        await using var xen = Xen(guests);
        return (await xen.ActAsync(An.Fence(s_spec), s_spec.Name, act => verb(new XenDomains(xen, TimeProvider.System), act))).Value;
    }

    private XenHost Xen(KernelGuests guests) => new(
        new SshShell(_ => Task.FromResult<IHostLink>(_host), TimeProvider.System), "0badcafe", new XenAccess("192.0.2.1", 22, An.KeyOf(An.Key), "vg0", "thin", "xenbr0") { Guests = guests });

    /// <summary>portal-host and its machine, as far as these verbs ask them.</summary>
    private sealed class Host : IHostLink
    {
        private HostFrame.Reader _reader = new();
        private Action<ReadOnlyMemory<byte>> _received = _ => { };
        private readonly Dictionary<uint, string[]> _asked = [];
        private bool _runs;

        public string Config { get; private set; } = "";

        public bool Saved { get; set; }

        public List<string> Done { get; } = [];

        public void Listen(Action<ReadOnlyMemory<byte>> received, Action<string> closed)
        {
            (_reader, _received) = (new(), received);
            Say(FrameKind.Hello, 0, HostInstall.Greeting);
        }

        public Task SendAsync(ReadOnlyMemory<byte> data, CancellationToken ct)
        {
            foreach (var frame in _reader.Take(data.Span))
            {
                if (frame.Kind == FrameKind.Input)
                {
                    Config += frame.Text;
                }
                else if (frame.Kind == FrameKind.Run)
                {
                    _asked[frame.Number] = frame.Text.Split('\0')[3..];
                    Config = _asked[frame.Number][0] == "put" ? "" : Config;
                }
                else if (frame.Kind == FrameKind.InputEnds && _asked.Remove(frame.Number, out var words))
                {
                    var (code, output, error) = Do(words);
                    Say(FrameKind.Output, frame.Number, output);
                    Say(FrameKind.Complaint, frame.Number, error);
                    Say(FrameKind.Done, frame.Number, $"exit {code}");
                }
            }

            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private void Say(FrameKind kind, uint number, string text) => _received(new HostFrame(kind, number, Encoding.UTF8.GetBytes(text)).ToBytes());

        private (int Code, string Output, string Error) Do(string[] words)
        {
            Done.Add(string.Join(' ', words));
            switch (words)
            {
                case ["xl", "list", _]:
                    return _runs ? (0, $"Name ID Mem VCPUs State Time(s)\n{s_name} 3 128 1 -b---- 1.0\n", "") : (1, "", $"{s_name} is an invalid domain identifier (rc=-6)\n");
                case ["xl", "list"]:
                    return (0, "Name ID Mem VCPUs State Time(s)\nDomain-0 0 1024 1 r----- 10.0\n", "");
                case ["list", "domains"]:
                    return (0, Config.Length == 0 ? "" : s_name + "\n", "");
                case ["get", ..]:
                    return Config.Length == 0 ? (2, "", "No such file") : (0, Config, "");
                case ["list", "saves"]:
                    return (0, Saved ? s_name + "\n" : "", "");
                case ["remove", ..]:
                    Saved = false;
                    return (0, "", "");
                case ["xl", "restore" or "create", ..]:
                    _runs = true;
                    return (0, "", "");
                default:
                    return (0, "", "");
            }
        }
    }
}
