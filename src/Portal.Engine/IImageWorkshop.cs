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

    /// <summary>Whether a release of Debian is where this machine has its packages from. What was found holds for some minutes.</summary>
    /// <param name="release">Its codename.</param>
    Task<bool> HasDebianAsync(string release, CancellationToken ct);

    /// <summary>
    /// Makes sure that the image is here, importing what an operator brought where it is not: fetched from public addresses alone, bounded, and taken apart only by
    /// programs in a sandbox. Takes minutes. Safe to repeat, as long as the upload is there.
    /// </summary>
    /// <param name="heard">What the import says, in pieces as they come; called from other threads.</param>
    /// <exception cref="HostFaultException">A tool failed in a way that says nothing of the image.</exception>
    Task<Result<StepOutcome>> EnsureImportedAsync(TemplateImage image, ImageImport import, Action<string> heard, CancellationToken ct);

    /// <summary>Keeps what an operator uploads until it is imported, at most a day. Not safe to repeat: an upload has its own id.</summary>
    /// <param name="needed">Uploads that wait for their import, and stay however old they are.</param>
    /// <param name="taken">Told how many bytes are here, now and then.</param>
    /// <returns>How large it is.</returns>
    Task<Result<ByteSize>> KeepUploadAsync(Guid upload, Stream content, IReadOnlySet<Guid> needed, Action<ByteSize> taken, CancellationToken ct);

    /// <summary>Whether an upload is here, whole.</summary>
    bool HasUpload(Guid upload);

    /// <summary>Removes an upload. Safe to repeat.</summary>
    void DropUpload(Guid upload);

    /// <summary>Removes uploads that nobody has imported for a day, and what dead portals left of theirs. Safe to repeat.</summary>
    /// <param name="needed">Uploads that wait for their import.</param>
    void SweepUploads(IReadOnlySet<Guid> needed);

    /// <summary>Removes the image that was made here; what hosts have of it stays. Safe to repeat.</summary>
    void Forget(TemplateImage image);
}
