using Portal.Kernel;

namespace Portal.Engine;

/// <summary>Makes images on the portal's own machine, from where they are copied to hosts: one build, the same bytes everywhere.</summary>
public interface IImageWorkshop
{
    /// <summary>Makes sure that the image is here, building a release of Debian where it is not. Takes minutes. Safe to repeat.</summary>
    /// <param name="release">Its codename.</param>
    /// <param name="heard">What the build says, in pieces as they come; called from other threads.</param>
    /// <exception cref="HostFaultException">A tool is missing or failed.</exception>
    Task<Result<StepOutcome>> EnsureDebianAsync(TemplateImage image, string release, Action<string> heard, CancellationToken ct);
}
