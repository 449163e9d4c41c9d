using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Engine.Images.Import;
using Portal.Engine.Pools;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Images;

/// <summary>The workshop in the engine's own directory.</summary>
internal sealed class ImageWorkshop(TimeProvider clock, EngineOptions options, ILoggerFactory? loggers = null) : IImageWorkshop
{
    private static readonly TimeSpan s_foundHolds = TimeSpan.FromMinutes(10);
    private readonly ConcurrentDictionary<string, (bool Has, long At)> _asked = new(StringComparer.Ordinal);

    /// <summary>How images are fetched; a test's may know a server of its own.</summary>
    public ImageFetch Fetch { get; init; } = new(clock);

    public async Task<bool> HasDebianAsync(string release, CancellationToken ct)
    {
        if (_asked.TryGetValue(release, out var known) && clock.GetElapsedTime(known.At) < s_foundHolds)
        {
            return known.Has;
        }

        var has = await AskForDebianAsync(release, ct).ConfigureAwait(false);
        _asked[release] = (has, clock.GetTimestamp());
        return has;
    }

    public Task<Result<StepOutcome>> EnsureDebianAsync(TemplateImage image, string release, Action<string> heard, CancellationToken ct) =>
        EnsureAsync(image, ".debian-lock", (pool, shell) => new DebianImage(pool, shell, clock).BuildAsync(image, release, heard, ct), ct);

    public Task<Result<StepOutcome>> EnsureImportedAsync(TemplateImage image, ImageImport import, Action<string> heard, CancellationToken ct) =>
        EnsureAsync(image, ".import-lock", (pool, shell) => new ImportedImage(pool, shell, Fetch, options.Imports, clock).BuildAsync(image, import, UploadsOf(pool), heard, ct), ct);

    public Task<Result<ByteSize>> KeepUploadAsync(Guid upload, Stream content, IReadOnlySet<Guid> needed, Action<ByteSize> taken, CancellationToken ct) =>
        UploadsOf(Pool()).KeepAsync(upload, content, needed, taken, ct);

    public bool HasUpload(Guid upload) => File.Exists(UploadsOf(new PoolLayout(options.WorkPath)).PathOf(upload));

    public void SweepUploads(IReadOnlySet<Guid> needed) => UploadsOf(new PoolLayout(options.WorkPath)).Sweep(needed);

    public void Forget(TemplateImage image)
    {
        var pool = new PoolLayout(options.WorkPath);
        // The disk first: without it nothing of the image is there.
        foreach (var path in new[] { pool.TemplateDisk(image), pool.TemplateKernel(image), pool.TemplateInitrd(image) }.Where(File.Exists))
        {
            File.Delete(path);
        }
    }

    public void DropUpload(Guid upload) => UploadsOf(new PoolLayout(options.WorkPath)).Drop(upload);

    private async Task<bool> AskForDebianAsync(string release, CancellationToken ct)
    {
        var shell = Shell();
        var path = Path.Combine(Pool().Cache, $"{Guid.CreateVersion7():N}.InRelease");
        try
        {
            var targets = await shell.RunAsync(DebianCommands.Targets(), ct).ConfigureAwait(false);
            return targets.Succeeded && DebianSources.Release(targets.Output, release) is { } address
                && (await shell.RunAsync(DebianCommands.Fetch(address, path), ct).ConfigureAwait(false)).Succeeded;
        }
        catch (HostFaultException)
        {
            // No apt, or a mirror that lets one wait: nothing can be built from there either.
            return false;
        }
        finally
        {
            File.Delete(path);
        }
    }

    private async Task<Result<StepOutcome>> EnsureAsync(TemplateImage image, string only, Func<PoolLayout, IHostShell, Task<Refusal?>> buildAsync, CancellationToken ct)
    {
        var pool = Pool();
        using (await FileLock.TakeAsync(Path.Combine(pool.Templates, only), clock, ct).ConfigureAwait(false))
        {
            if (File.Exists(pool.TemplateDisk(image)))
            {
                return StepOutcome.AlreadyThere;
            }

            return await buildAsync(pool, Shell()).ConfigureAwait(false) is { } refusal ? refusal : StepOutcome.Changed;
        }
    }

    private LocalShell Shell() => new(clock, (loggers ?? NullLoggerFactory.Instance).CreateLogger<LocalShell>());

    private PoolLayout Pool()
    {
        var pool = new PoolLayout(options.WorkPath);
        pool.Create();
        return pool;
    }

    private Uploads UploadsOf(PoolLayout pool) => new(pool, options.Imports, clock);
}
