using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Portal.Engine.Pools;

namespace Portal.Engine.Libvirt;

/// <summary>
/// Whether guests can run on the processor itself. /dev/kvm may be there and still not work (nested virtualisation, missing rights), so a
/// kernel is really started, once, and what came of it is kept beside the pool.
/// </summary>
internal sealed class Acceleration(PoolLayout pool, Virsh virsh, TimeProvider clock)
{
    private const string Proof = "Linux version";
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(50);

    // For as long as the portal runs: a VM that is being built does not wait for the question.
    private volatile Decision? _decided;

    private string DecisionPath => Path.Combine(pool.Root, "acceleration.json");

    /// <summary>What was decided on this machine, with this QEMU and this kernel; null where nothing was yet.</summary>
    public Decision? Known(string qemu)
    {
        try
        {
            var known = JsonSerializer.Deserialize<Decision>(File.ReadAllBytes(DecisionPath));
            return known is not null && known.Qemu == qemu && known.HostKernel == HostKernel() ? known : null;
        }
        catch (Exception none) when (none is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>The decision, made now with a real start where there is none: up to ten seconds.</summary>
    public async Task<Decision> DecideAsync(string kernel, CancellationToken ct) =>
        _decided ??= await LookOrTryAsync(kernel, ct).ConfigureAwait(false);

    private async Task<Decision> LookOrTryAsync(string kernel, CancellationToken ct)
    {
        var (_, version) = VirshAnswers.Versions(await virsh.AskAsync(VirshCommands.Version(), ct).ConfigureAwait(false));
        var qemu = version ?? "";
        using var alone = await FileLock.TakeAsync(DecisionPath + ".lock", clock, ct).ConfigureAwait(false);
        if (Known(qemu) is { } known)
        {
            return known;
        }

        var complaint = File.Exists("/dev/kvm") ? await TryAsync(kernel, ct).ConfigureAwait(false) : "/dev/kvm does not exist";
        var decision = new Decision(complaint is null, qemu, HostKernel(), complaint);
        await WholeFile.WriteAsync(DecisionPath, JsonSerializer.SerializeToUtf8Bytes(decision), Mode, ct).ConfigureAwait(false);
        return decision;
    }

    /// <summary>Starts a kernel with KVM through libvirt, as guests are; null where it spoke.</summary>
    private async Task<string?> TryAsync(string kernel, CancellationToken ct)
    {
        // One name per pool: a trial whose portal was killed spins on until the next one, which takes its place.
        var name = $"portal-kvm-trial-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(pool.Root)))[..8]}";
        var log = Path.Combine(pool.Consoles, "kvm-trial.log");
        await virsh.RunAsync(VirshCommands.Destroy(name), ct).ConfigureAwait(false);
        File.Delete(log);
        var created = await virsh.RunAsync(VirshCommands.CreateTransient(DomainXml.WriteTrial(name, kvm: true, kernel, log)), ct).ConfigureAwait(false);
        if (!created.Succeeded)
        {
            return VirshAnswers.Complaint(created);
        }

        try
        {
            var started = clock.GetTimestamp();
            while (clock.GetElapsedTime(started) < s_deadline)
            {
                if (File.Exists(log) && (await File.ReadAllTextAsync(log, ct).ConfigureAwait(false)).Contains(Proof, StringComparison.Ordinal))
                {
                    return null;
                }

                await Task.Delay(s_look, clock, ct).ConfigureAwait(false);
            }

            return $"a kernel started with KVM said nothing for {s_deadline.TotalSeconds:0} s";
        }
        finally
        {
            // Also when cancelled: a trial that spins would take a processor for ever.
            await virsh.RunAsync(VirshCommands.Destroy(name), CancellationToken.None).ConfigureAwait(false);
            File.Delete(log);
        }
    }

    private static string HostKernel() => File.ReadAllText("/proc/sys/kernel/osrelease").Trim();

    /// <param name="Qemu">The version it was tried with.</param>
    /// <param name="Complaint">Why not; null where it works.</param>
    internal sealed record Decision(bool Kvm, string Qemu, string HostKernel, string? Complaint);
}
