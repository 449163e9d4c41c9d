using System.Globalization;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Portal.Benchmarks.Bench;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.Benchmarks.Engine;

/// <summary>What the engine adds to the commands that it runs, on the lab's Xen host: to one, and to a whole VM.</summary>
internal sealed class EngineBench(LabRoot root, Teller teller, int pairs) : IAsyncDisposable
{
    private const string Instance = "be9cbe9c";
    private const string Group = "vgdisk";
    private const int Looks = 100;

    // On the host: what the script takes from a VM of the engine's.
    private const string Files = "/run/portal-bench";

    private static readonly TimeProvider s_clock = TimeProvider.System;

    private readonly string _work = Directory.CreateTempSubdirectory("portal-bench-engine-").FullName;
    private readonly List<DomainSpec> _made = [];
    private ServiceProvider? _services;
    private IVmEngine? _engine;
    private int _number;

    private IVmEngine Engine => _engine ?? throw new InvalidOperationException("The host is not prepared.");

    public async Task<IReadOnlyList<Figure>> MeasureAsync(CancellationToken ct)
    {
        await PrepareAsync(ct);
        var before = await SignInsAsync(ct);
        List<Figure> figures = [await LooksAsync(ct), await VmsAsync(ct)];
        // One more than in the beginning at most: the first command made the connection.
        var signIns = await SignInsAsync(ct) - before + 1;
        figures.Add(new Figure("ssh_handshakes", signIns, "", 1, 1, "how often the portal signed in on the host during all of it"));
        return figures;
    }

    /// <summary>Removes what was made. Safe to repeat.</summary>
    public async Task RemoveAsync(CancellationToken ct)
    {
        foreach (var spec in _made.ToList())
        {
            await RemoveAsync(spec, ct);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_services is not null)
        {
            await _services.DisposeAsync();
        }

        Directory.Delete(_work, recursive: true);
    }

    private async Task PrepareAsync(CancellationToken ct)
    {
        teller.Part("A host is made of the lab's machine, and the template is brought there");
        var pair = PortalKeyPair.New();
        _services = new ServiceCollection()
            .AddSingleton(new EngineOptions { WorkPath = _work })
            .AddSingleton<PortalKeySource>(_ => Task.FromResult(pair.PrivatePem))
            .AddPortalEngine()
            .BuildServiceProvider();
        await root.RunAsync("sh -s", ct, _services.GetRequiredService<IHostDoor>().Installation(Instance, [Group], pair.Public));
        var access = new XenAccess("127.0.0.1", root.Port, root.Key, Group, "thin", "xenbr0");
        _engine = _services.GetRequiredService<IVmEngines>().For(new HostConnection(default, HostKind.Xen, Instance, "") { Xen = access });
        Value(await Engine.EnsureTemplateAsync(TemplateImage.TinyLinux, ct));
    }

    // The step that there is most of: what is asked before and after each act.
    private async Task<Figure> LooksAsync(CancellationToken ct)
    {
        teller.Part("One command, through the engine and straight in turns");
        var spec = NewSpec();
        await BuildAsync(spec, ct);
        var (through, straight) = (new Samples(), new Samples());
        for (var i = -5; i < Looks; i++)
        {
            var engine = await TimeAsync(() => Engine.LookAsync(spec.Name, ct));
            var least = await TimeAsync(() => root.RunAsync($"LC_ALL=C xl list {spec.Name}", ct));
            if (i >= 0)
            {
                through.Add(engine);
                straight.Add(least);
            }
        }

        await RemoveAsync(spec, ct);
        teller.Fact("engine", through.ToString());
        teller.Fact("straight", straight + ": the same command on an open connection");
        return new Figure("engine_step_p50", through.Median, "ms", straight.Median, straight.Median * 1.2, $"xl list of one domain; engine {through}; straight {straight}");
    }

    private async Task<Figure> VmsAsync(CancellationToken ct)
    {
        teller.Part("Whole VMs, by the engine and by a shell script in turns");
        // What the script needs of a VM of the engine's: its configuration and its seed, under other names.
        var like = NewSpec();
        await BuildAsync(like, ct);
        await root.RunAsync($"mkdir -p {Files} && cp /var/lib/portal-host/domains/{like.Name} {Files}/config && cp /dev/{Group}/{like.Name}-seed {Files}/seed", ct);
        await RemoveAsync(like, ct);

        var (engine, script, ratios) = (new Samples(), new Samples(), new List<double>());
        for (var i = -1; i < pairs; i++)
        {
            var (spec, other) = (NewSpec(), NewSpec());
            TimeSpan byEngine, byScript;
            // Neither always goes first, and each is gone before the other is made: a guest that boots takes the processors which the next one is timed on.
            if (i % 2 == 0)
            {
                byEngine = await EngineAsync(spec, ct);
                byScript = await ScriptAsync(like, other, ct);
            }
            else
            {
                byScript = await ScriptAsync(like, other, ct);
                byEngine = await EngineAsync(spec, ct);
            }

            if (i >= 0)
            {
                engine.Add(byEngine);
                script.Add(byScript);
                ratios.Add(byEngine / byScript);
                teller.Fact($"pair {i + 1}", string.Create(CultureInfo.InvariantCulture, $"engine {byEngine.TotalSeconds:0.00} s, script {byScript.TotalSeconds:0.00} s, ratio {byEngine / byScript:0.00}"));
            }
        }

        ratios.Sort();
        var median = ratios[ratios.Count / 2];
        return new Figure(
            "engine_vm_ratio", median, "", 1, 1.05,
            string.Create(CultureInfo.InvariantCulture, $"median of {ratios.Count} pairs, least {ratios[0]:0.00}, most {ratios[^1]:0.00}; disk, seed, configuration, start; engine {engine}; script {script}"));
    }

    private async Task<TimeSpan> EngineAsync(DomainSpec spec, CancellationToken ct)
    {
        var took = await TimeAsync(() => BuildAsync(spec, ct));
        await RemoveAsync(spec, ct);
        return took;
    }

    private async Task<TimeSpan> ScriptAsync(DomainSpec like, DomainSpec other, CancellationToken ct)
    {
        var took = await TimeAsync(() => root.RunAsync(Script(like, other), ct));
        _made.Remove(other);
        await root.RunAsync($"xl destroy {other.Name}; until ! xl list {other.Name} >/dev/null 2>&1; do sleep 0.1; done; lvremove -qy {Group}/{other.Name} {Group}/{other.Name}-seed; rm -f {Files}/{other.Name}", ct);
        return took;
    }

    private async Task BuildAsync(DomainSpec spec, CancellationToken ct)
    {
        var fence = new Fence(spec.Name.Vm, 1);
        Value(await Engine.EnsureRootDiskAsync(fence, spec, ct));
        Value(await Engine.EnsureSeedAsync(fence, spec, ct));
        Value(await Engine.EnsureDefinedAsync(fence, spec, ct));
        Value(await Engine.EnsureRunningAsync(fence, spec.Name, ct));
    }

    private async Task RemoveAsync(DomainSpec spec, CancellationToken ct)
    {
        var fence = new Fence(spec.Name.Vm, 2);
        Value(await Engine.EnsureUndefinedAsync(fence, spec.Name, ct));
        Value(await Engine.EnsureDisksGoneAsync(fence, spec.Name, ct));
        _made.Remove(spec);
    }

    // The commands that the engine gives, the questions among them, in their order.
    private static string Script(DomainSpec like, DomainSpec other) =>
        $"""
        set -e
        export LC_ALL=C
        {Volumes}
        lvcreate --yes --snapshot --name {other.Name} --setactivationskip n --addtag portal {Group}/t{Instance}-{other.Template.Name}-{other.Template.Version} >/dev/null
        lvextend --size {other.Disk.Bytes}b {Group}/{other.Name} >/dev/null
        {Volumes}
        lvcreate --yes --virtualsize 4m --thinpool thin --name {other.Name}-seed --addtag portal {Group} >/dev/null
        dd if={Files}/seed of=/dev/{Group}/{other.Name}-seed bs=1M conv=fsync,sparse status=none
        lvchange --addtag portal.seed.of.bench {Group}/{other.Name}-seed >/dev/null
        sed 's/{like.Name}/{other.Name}/g; s/{like.Name.Vm.Value:D}/{other.Name.Vm.Value:D}/; s/{like.Mac}/{other.Mac}/; s/{XenCard(like)}/{XenCard(other)}/' {Files}/config > {Files}/{other.Name}
        sync {Files}/{other.Name}
        xl list {other.Name} >/dev/null 2>&1 || true
        nft -f /var/lib/portal-host/guards.nft
        rm -f /var/log/xen/console/guest-{other.Name}.log
        xl create -q {Files}/{other.Name}
        xl list {other.Name} >/dev/null
        """;

    private const string Volumes = $"lvs --reportformat=json --units=b --nosuffix --options vg_name,lv_name,lv_size,lv_attr,lv_tags,pool_lv,origin,data_percent,metadata_percent,lv_metadata_size {Group} >/dev/null";

    // As the engine names a guest's card on its host.
    private static string XenCard(DomainSpec spec) => string.Create(CultureInfo.InvariantCulture, $"pt-{spec.Mac.Value & 0xFFFF_FFFF:x8}");

    private DomainSpec NewSpec()
    {
        var spec = new DomainSpec
        {
            Name = new DomainName(Instance, VmId.New(), 1),
            Vcpus = 1,
            Memory = ByteSize.FromMiB(192),
            Disk = ByteSize.FromGiB(1),
            Template = TemplateImage.TinyLinux,
            HostName = VmName.Parse($"bench-{++_number}"),
            Mac = MacAddress.OfSequence(1000 + _number),
            Address = new GuestAddress(IPAddress.Parse("10.0.2.77"), 24, IPAddress.Parse("10.0.2.2"), IPAddress.Parse("10.0.2.3")),
            SshKeys = [],
        };
        _made.Add(spec);
        return spec;
    }

    private async Task<int> SignInsAsync(CancellationToken ct) =>
        int.Parse((await root.RunAsync("journalctl --no-pager -o cat -t sshd | grep -c '^Accepted publickey for portal' || true", ct)).Trim(), CultureInfo.InvariantCulture);

    private static async Task<TimeSpan> TimeAsync(Func<Task> act)
    {
        var began = s_clock.GetTimestamp();
        await act();
        return s_clock.GetElapsedTime(began);
    }

    private static void Value(Result<StepOutcome> result)
    {
        if (result.Refusal is { } no)
        {
            throw new Shortfall($"The engine refused: {no.Message}");
        }
    }
}
