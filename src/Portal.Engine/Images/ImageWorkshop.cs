using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Engine.Pools;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Images;

/// <summary>The workshop in the engine's own directory.</summary>
internal sealed class ImageWorkshop(TimeProvider clock, EngineOptions options, ILoggerFactory? loggers = null) : IImageWorkshop
{
    public async Task<Result<StepOutcome>> EnsureDebianAsync(TemplateImage image, string release, Action<string> heard, CancellationToken ct)
    {
        var pool = new PoolLayout(options.WorkPath);
        pool.Create();
        using (await FileLock.TakeAsync(Path.Combine(pool.Templates, ".debian-lock"), clock, ct).ConfigureAwait(false))
        {
            if (File.Exists(pool.TemplateDisk(image)))
            {
                return StepOutcome.AlreadyThere;
            }

            var shell = new LocalShell(clock, (loggers ?? NullLoggerFactory.Instance).CreateLogger<LocalShell>());
            return await new DebianImage(pool, shell, clock).BuildAsync(image, release, heard, ct).ConfigureAwait(false) is { } refusal ? refusal : StepOutcome.Changed;
        }
    }
}
