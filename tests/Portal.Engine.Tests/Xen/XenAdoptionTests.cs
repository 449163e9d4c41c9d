using System.Text.Json;
using Portal.Engine.Remote;
using Portal.Engine.Tests.Remote;
using Portal.Engine.Xen;
using Portal.Kernel;

namespace Portal.Engine.Tests.Xen;

/// <summary>What is done on a Xen host to take a domain over and to give it back, wherever it was broken off.</summary>
public sealed class XenAdoptionTests : IAsyncDisposable
{
    private static readonly DomainSpec s_spec = An.Spec("0badcafe") with
    {
        Adopted = new AdoptedDomain("Web1", "/etc/xen/web1.cfg", ForeignDomainType.Pv, "/boot/vmlinuz", "/boot/initrd", "root=/dev/sda1 ro", [new AdoptedDisk("web1", "sda1", false), new AdoptedDisk("swap1", "sda2", false)]),
    };

    private static readonly string s_name = s_spec.Name.Text;

    private readonly Host _host = new();
    private readonly XenHost _xen;
    private readonly XenAdoption _adoption;

    public XenAdoptionTests()
    {
        _xen = new XenHost(new SshShell(_ => Task.FromResult<IHostLink>(_host), TimeProvider.System), "0badcafe", new XenAccess("192.0.2.1", 22, An.KeyOf(An.Key), "vg0", "thin", "xenbr0"));
        _adoption = new XenAdoption(_xen, new XenForeign(_xen));
        _host.Permits.Add("adopt Web1 config=/etc/xen/web1.cfg kernel=/boot/vmlinuz ramdisk=/boot/initrd volume=vg0/web1 volume=vg0/swap1");
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_is_ended_taken_over_given_back_and_started_again()
    {
        _host.Running.Add("Web1");
        var before = _host.Picture;

        Assert.IsType<WrongState>((await DoAsync(_adoption.TakeAsync)).Refusal);
        Assert.Equal(StepOutcome.Changed, (await DoAsync(_adoption.AskShutdownAsync)).Value);
        Assert.Equal(DomainState.Off, await _adoption.LookAsync("Web1", Ct));
        Assert.Equal(StepOutcome.Changed, (await DoAsync(_adoption.TakeAsync)).Value);
        Assert.Equal($"volumes {s_name}:portal {s_name}-ad2:portal thin: images {s_name}.initrd {s_name}.kernel running ", _host.Picture);
        Assert.Equal(StepOutcome.AlreadyThere, (await DoAsync(_adoption.TakeAsync)).Value);
        Assert.Equal(StepOutcome.Changed, (await DoAsync(_adoption.GiveBackAsync)).Value);
        Assert.Equal(StepOutcome.AlreadyThere, (await DoAsync(_adoption.GiveBackAsync)).Value);
        Assert.Equal(StepOutcome.Changed, (await DoAsync(_adoption.StartAgainAsync)).Value);
        Assert.Equal(StepOutcome.AlreadyThere, (await DoAsync(_adoption.StartAgainAsync)).Value);

        Assert.Equal(before, _host.Picture);
    }

    [Fact]
    public async Task Wherever_it_was_broken_off_it_goes_on_and_is_taken_back_from_there()
    {
        var before = _host.Picture;
        for (var commands = 0; commands < 6; commands++)
        {
            foreach (var back in new[] { false, true })
            {
                _host.LastsFor = commands;
                var broken = await Record.ExceptionAsync(async () => Assert.Null((await DoAsync(_adoption.TakeAsync)).Refusal));
                _host.LastsFor = int.MaxValue;
                Assert.Equal(commands < 5, broken is not null);

                if (!back)
                {
                    Assert.Null((await DoAsync(_adoption.TakeAsync)).Refusal);
                    Assert.Equal($"volumes {s_name}:portal {s_name}-ad2:portal thin: images {s_name}.initrd {s_name}.kernel running ", _host.Picture);
                }

                Assert.Null((await DoAsync(_adoption.GiveBackAsync)).Refusal);
                Assert.Equal(before, _host.Picture);
            }
        }
    }

    [Fact]
    public async Task Without_its_administrators_word_or_its_volume_nothing_is_changed()
    {
        _host.Running.Add("Web1");
        var before = _host.Picture;
        _host.Permits[0] += " volume=vg0/other";

        Assert.IsType<AdoptionNotPermitted>((await DoAsync(_adoption.AskShutdownAsync)).Refusal);
        _host.Running.Clear();
        Assert.IsType<AdoptionNotPermitted>((await DoAsync(_adoption.TakeAsync)).Refusal);
        _host.Running.Add("Web1");

        Assert.Equal(before, _host.Picture);
        _host.Running.Clear();
        _host.Permits[0] = s_spec.Adopted!.Permit("vg0");
        _host.Volumes["web1"] = ["portal"];
        Assert.IsType<Occupied>((await DoAsync(_adoption.TakeAsync)).Refusal);
        _host.Volumes.Remove("web1");
        Assert.IsType<HostSaidNo>((await DoAsync(_adoption.TakeAsync)).Refusal);
    }

    public ValueTask DisposeAsync() => _xen.DisposeAsync();

    private Task<Result<StepOutcome>> DoAsync(Func<XenActing, DomainSpec, CancellationToken, Task<Result<StepOutcome>>> verb) => _xen.ActAsync(An.Fence(s_spec), s_spec.Name, act => verb(act, s_spec, Ct));

    /// <summary>portal-host and its machine, as far as these verbs ask them.</summary>
    private sealed class Host : AnsweringHost
    {
        public List<string> Permits { get; } = [];

        public SortedSet<string> Running { get; } = new(StringComparer.Ordinal);

        public SortedDictionary<string, HashSet<string>> Volumes { get; } = new(StringComparer.Ordinal) { ["web1"] = [], ["swap1"] = [], ["thin"] = [] };

        public SortedSet<string> Images { get; } = new(StringComparer.Ordinal);

        /// <summary>How many more changes it makes before it fails.</summary>
        public int LastsFor { get; set; } = int.MaxValue;

        public string Picture => $"volumes {string.Concat(Volumes.Select(v => $"{v.Key}:{string.Join(',', v.Value)} "))}images {string.Concat(Images.Select(i => i + " "))}running {string.Join(' ', Running)}";

        protected override (int Code, string Output, string Error) Answer(string[] words) => words switch
        {
            ["xl", "list"] => (0, "Name ID Mem VCPUs State Time(s)\nDomain-0 0 1024 1 r----- 10.0\n" + string.Concat(Running.Select(r => $"{r} 3 128 1 -b---- 1.0\n")), ""),
            ["configs"] => (0, string.Concat(Permits.Select(p => p + "\n")), ""),
            ["list", "images"] => (0, string.Concat(Images.Select(i => i + "\n")), ""),
            ["get", ..] => (2, "", "No such file"),
            ["lvs", ..] => (0, JsonSerializer.Serialize(new { report = new[] { new { lv = Volumes.Select(v => new { vg_name = "vg0", lv_name = v.Key, lv_size = "1073741824", lv_attr = v.Key == "thin" ? "twi-aotz--" : "-wi-a-----", lv_tags = string.Join(',', v.Value), pool_lv = "", origin = "", data_percent = "", metadata_percent = "", lv_metadata_size = "" }) } } }), ""),
            _ when LastsFor-- <= 0 => (5, "", "It failed."),
            ["xl", "shutdown", "-F", var name] => Done(() => Running.Remove(name)),
            ["xl", "create", "-q", "/etc/xen/web1.cfg"] => Done(() => Running.Add("Web1")),
            ["lvrename", "vg0", var from, var to] => Done(() =>
            {
                Volumes.Add(to, Volumes[from]);
                return Volumes.Remove(from);
            }),
            ["lvchange", "--addtag", var tag, var volume] => Done(() => Volumes[volume["vg0/".Length..]].Add(tag)),
            ["lvchange", "--deltag", var tag, var volume] => Done(() => Volumes[volume["vg0/".Length..]].Remove(tag)),
            ["adopt", var domain, "Web1"] => Done(() => Images.Add($"{domain}.kernel") & Images.Add($"{domain}.initrd")),
            ["remove", var file] => Done(() => Images.Remove(file["images/".Length..])),
            _ => throw new InvalidOperationException(string.Join(' ', words)),
        };

        private static (int, string, string) Done(Func<bool> act) => act() ? (0, "", "") : (5, "", "It was so.");
    }
}
