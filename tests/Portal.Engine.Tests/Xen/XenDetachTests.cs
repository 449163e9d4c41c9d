using System.Globalization;
using System.Text.Json;
using Portal.Engine.Remote;
using Portal.Engine.Tests.Remote;
using Portal.Engine.Xen;
using Portal.Kernel;

namespace Portal.Engine.Tests.Xen;

/// <summary>What is done on a host without a thin pool to detach a clone, and to take that back, wherever it was broken off.</summary>
public sealed class XenDetachTests : IAsyncDisposable
{
    private const string Template = "t0badcafe-tiny-linux-1";

    private static readonly DomainSpec s_spec = An.Spec("0badcafe");
    private static readonly string s_name = s_spec.Name.Text;

    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("portal-detach-");
    private readonly Host _host = new();
    private readonly XenEngine _xen;
    private readonly List<ByteSize> _told = [];
    private Refusal? _enough;

    public XenDetachTests()
    {
        var access = new XenAccess("192.0.2.1", 22, An.KeyOf(An.Key), "vg0", null, "xenbr0");
        var connection = new HostConnection(HostId.New(), HostKind.Xen, "0badcafe", "/nowhere") { Xen = access };
        _xen = new XenEngine(connection, _work.FullName, new SshShell(_ => Task.FromResult<IHostLink>(_host), TimeProvider.System), new RecordedShell(c => throw new InvalidOperationException(c.ToString())), TimeProvider.System);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static string Detached => $"{s_name}=guest {Template}=template ";

    private static string Attached => $"{s_name}<{Template}=guest {Template}=template ";

    [Fact]
    public async Task Its_template_is_copied_beside_the_guest_and_what_the_guest_wrote_while_it_is_off()
    {
        _host.Runs = true;
        Assert.Contains(DomainAbility.Detach, _xen.Abilities);
        Assert.Equal(new DiskClone(Template, ByteSize.FromMiB(320), 12.5m, Replaced: false), await CloneAsync());
        // Who moves it copies as much as its guest sees, which is less than its store has.
        Assert.Equal(ByteSize.FromMiB(320), (await _xen.ListDisksAsync(s_spec.Name, Ct)).Size);

        Assert.Equal(StepOutcome.Changed, Value(await DoAsync(DetachStage.Copy)));
        Assert.Equal($"{s_name}<{Template}=guest {s_name}-own=template {Template}=template ", _host.Picture);
        Assert.IsType<WrongState>((await DoAsync(DetachStage.Take)).Refusal);
        _host.Runs = false;
        Assert.Equal(StepOutcome.Changed, Value(await DoAsync(DetachStage.Take)));
        Assert.Equal($"{s_name}=guest {s_name}-clone<{Template}=guest {Template}=template ", _host.Picture);
        Assert.Equal(new DiskClone(Template, ByteSize.FromMiB(324), null, Replaced: true), await CloneAsync());
        _host.Runs = true;
        Assert.Equal(StepOutcome.Changed, Value(await DoAsync(DetachStage.Clear)));

        Assert.Equal(Detached, _host.Picture);
        Assert.Null(await CloneAsync());
        Assert.Contains($"lvconvert --splitsnapshot --yes vg0/{s_name}-clone", _host.Done);
        foreach (var stage in new[] { DetachStage.Copy, DetachStage.Take, DetachStage.PutBack, DetachStage.Clear })
        {
            Assert.Equal(StepOutcome.AlreadyThere, Value(await DoAsync(stage)));
        }

        // Twenty parts, sixteen at a time: a step tells how far it is.
        Assert.Equal([256, 320, 256, 320], _told.Select(t => t.CeilingMiB));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Wherever_it_was_broken_off_it_goes_on_or_is_taken_back(bool answerLost)
    {
        for (var changes = 0; ; changes++)
        {
            Exception? broken = null;
            foreach (var back in new[] { false, true })
            {
                _host.Reset();
                (_host.LastsFor, _host.AnswersLost) = (changes, answerLost);
                broken = await Record.ExceptionAsync(() => DetachAsync(DetachStage.Copy, DetachStage.Take));
                _host.LastsFor = int.MaxValue;

                await (back ? DetachAsync(DetachStage.PutBack, DetachStage.Clear) : DetachAsync(DetachStage.Copy, DetachStage.Take, DetachStage.Clear));

                Assert.Equal(back ? Attached : Detached, _host.Picture);
            }

            if (broken is null)
            {
                // Made, copied in two commands; compared, some of it written and compared again, compared; marked; two names.
                Assert.Equal(9, changes);
                return;
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Whatever_is_removed_is_removed_by_who_comes_after_too(bool answerLost)
    {
        for (var changes = 0; changes < 8; changes++)
        {
            foreach (var back in new[] { false, true })
            {
                _host.Reset();
                await DetachAsync(back ? [DetachStage.Copy] : [DetachStage.Copy, DetachStage.Take]);
                (_host.LastsFor, _host.AnswersLost) = (changes, answerLost);
                await Record.ExceptionAsync(() => DetachAsync(DetachStage.Clear));
                _host.LastsFor = int.MaxValue;

                await DetachAsync(DetachStage.Clear);

                Assert.Equal(back ? Attached : Detached, _host.Picture);
            }
        }
    }

    [Fact]
    public async Task What_stands_against_it_is_said_and_nothing_is_done()
    {
        _host.Free = 100;
        Assert.Equal(new PoolFull(ByteSize.FromMiB(320), new ByteSize(100)), (await DoAsync(DetachStage.Copy)).Refusal);
        _host.Free = long.MaxValue;
        _host.Volumes[Template].Tags.Remove("portal.whole");
        Assert.IsType<HostSaidNo>((await DoAsync(DetachStage.Copy)).Refusal);
        _host.Reset();
        Assert.IsType<HostSaidNo>((await DoAsync(DetachStage.Take)).Refusal);
        _host.Volumes[s_name + "-own"] = new Volume("somebody's", null, []);
        Assert.IsType<Occupied>((await DoAsync(DetachStage.Copy)).Refusal);
        Assert.IsType<Occupied>((await DoAsync(DetachStage.Clear)).Refusal);
        _host.Reset();
        _enough = new PoolFull(ByteSize.Zero, ByteSize.Zero);
        Assert.Same(_enough, (await DoAsync(DetachStage.Copy)).Refusal);
        _enough = null;
        _host.Volumes[s_name].IsOpen = true;
        await Assert.ThrowsAsync<HostFaultException>(() => DoAsync(DetachStage.Take));
        _host.Volumes[s_name].IsOpen = false;
        // Something of the host changes the copy behind what was compared.
        _host.WritesInVain = true;
        await Assert.ThrowsAsync<HostFaultException>(() => DoAsync(DetachStage.Take));
        Assert.Equal($"{s_name}<{Template}=guest {s_name}-own=template {Template}=template ", _host.Picture);
    }

    public async ValueTask DisposeAsync()
    {
        await _xen.DisposeAsync();
        _work.Delete(recursive: true);
    }

    private async Task DetachAsync(params DetachStage[] stages)
    {
        foreach (var stage in stages)
        {
            Value(await DoAsync(stage));
        }
    }

    private Task<Result<StepOutcome>> DoAsync(DetachStage stage) => _xen.DetachAsync(An.Fence(s_spec), s_spec.Name, stage, TellAsync, Ct);

    private Task<Refusal?> TellAsync(ByteSize done, ByteSize total, CancellationToken ct)
    {
        _told.Add(done);
        return Task.FromResult(_enough);
    }

    private async Task<DiskClone?> CloneAsync() => (await _xen.ListDisksAsync(s_spec.Name, Ct)).Cloned;

    private static StepOutcome Value(Result<StepOutcome> result) => result.TryGet(out var outcome, out var refusal) ? outcome : throw new InvalidOperationException(refusal.Message);

    private sealed class Volume(string content, string? origin, string[] tags)
    {
        public string Content { get; set; } = content;

        public string? Origin { get; set; } = origin;

        public HashSet<string> Tags { get; } = [.. tags];

        public bool IsOpen { get; set; }

        /// <summary>LVM tells the size of a snapshot's store, also after it was split: a little more than its guest sees.</summary>
        public bool HasStore { get; } = origin is not null;
    }

    /// <summary>portal-host and its machine, as far as these verbs ask them. What a volume holds is one word.</summary>
    private sealed class Host : AnsweringHost
    {
        public Host() => Reset();

        public bool Runs { get; set; }

        public SortedDictionary<string, Volume> Volumes { get; } = new(StringComparer.Ordinal);

        public List<string> Done { get; } = [];

        public long Free { get; set; } = long.MaxValue;

        /// <summary>How many more changes it makes before it fails.</summary>
        public int LastsFor { get; set; } = int.MaxValue;

        /// <summary>Whether it fails after it has done what was asked.</summary>
        public bool AnswersLost { get; set; }

        public bool WritesInVain { get; set; }

        public string Picture => string.Concat(Volumes.Select(v => $"{v.Key}{(v.Value.Origin is { } origin ? $"<{origin}" : "")}={v.Value.Content} "));

        public void Reset()
        {
            (Runs, LastsFor, AnswersLost) = (false, int.MaxValue, false);
            Volumes.Clear();
            Volumes[Template] = new Volume("template", null, ["portal", "portal.whole"]);
            Volumes[s_name] = new Volume("guest", Template, ["portal"]);
        }

        protected override (int Code, string Output, string Error) Answer(string[] words) => words switch
        {
            ["xl", "list", _] => Runs ? (0, $"Name ID Mem VCPUs State Time(s)\n{s_name} 3 128 1 -b---- 1.0\n", "") : (1, "", $"{s_name} is an invalid domain identifier"),
            ["xl", "block-list", _] => (0, "", ""),
            ["list", "saves"] => (0, "", ""),
            ["get", ..] => (0, "name = 'x'\n", ""),
            ["vgs", ..] => (0, JsonSerializer.Serialize(new { report = new[] { new { vg = new[] { new { vg_name = "vg0", vg_size = long.MaxValue.ToString(CultureInfo.InvariantCulture), vg_free = Free.ToString(CultureInfo.InvariantCulture) } } } } }), ""),
            ["lvs", ..] => (0, JsonSerializer.Serialize(new { report = new[] { new { lv = Volumes.Select(v => new { vg_name = "vg0", lv_name = v.Key, lv_size = v.Value.HasStore ? "339738624" : "335544320", lv_attr = $"{(v.Value.Origin is null ? "-wi-a" : "swi-a")}{(v.Value.IsOpen ? "o" : "-")}----", lv_tags = string.Join(',', v.Value.Tags), pool_lv = "", origin = v.Value.Origin ?? "", data_percent = v.Value.Origin is null ? "" : "12.50", metadata_percent = "", lv_metadata_size = "" }) } } }), ""),
            _ when LastsFor-- <= 0 => AnswersLost && Change(words) is { } ? (114, "", "The line was cut.") : (5, "", "It failed."),
            _ => Change(words),
        };

        private (int, string, string) Change(string[] words)
        {
            Done.Add(string.Join(' ', words));
            switch (words)
            {
                case ["lvcreate", .., "--name", var name, "--addtag", "portal", "vg0"]:
                    return Did(Volumes.TryAdd(name, new Volume("of-others", null, ["portal"])));
                case ["catch-up", var from, var to, var first, var count]:
                    var (source, target) = (Volumes[from["/dev/vg0/".Length..]], Volumes[to["/dev/vg0/".Length..]]);
                    var differs = source.Content != target.Content && first == "0";
                    target.Content = WritesInVain || first != "0" ? target.Content : source.Content;
                    var parts = Math.Min(int.Parse(count, CultureInfo.InvariantCulture), 20 - int.Parse(first, CultureInfo.InvariantCulture));
                    return (0, $"{parts} {(differs ? 1 << 20 : 0)}\n", "");
                case ["lvrename", "vg0", var from, var to]:
                    return Did(Volumes.ContainsKey(from) && Volumes.TryAdd(to, Volumes[from]) && Volumes.Remove(from));
                case ["lvchange", "--addtag", var tag, var volume]:
                    return Did(Of(volume).Tags.Add(tag));
                case ["lvchange", "--activate", _, var volume]:
                    return Did(!Of(volume).IsOpen);
                case ["lvconvert", "--splitsnapshot", "--yes", var volume]:
                    Of(volume).Origin = null;
                    return (0, "", "");
                case ["blkdiscard", "--zeroout", "--offset", "0", var device]:
                    Volumes[device["/dev/vg0/".Length..]].Content = "zeros";
                    return (0, "", "");
                case ["lvremove", "--yes", var volume]:
                    return Did(Of(volume) is { Content: "zeros", Origin: null } && Volumes.Remove(volume["vg0/".Length..]));
                default:
                    throw new InvalidOperationException(string.Join(' ', words));
            }
        }

        private Volume Of(string path) => Volumes[path["vg0/".Length..]];

        private static (int, string, string) Did(bool did) => did ? (0, "", "") : (5, "", "It was not so.");
    }
}
