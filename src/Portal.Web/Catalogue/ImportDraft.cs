using Portal.App.Templates;
using Portal.Engine;

namespace Portal.Web.Catalogue;

/// <summary>The form of an import while it is filled in.</summary>
public sealed class ImportDraft
{
    public string Slug { get; set; } = "";

    public string Name { get; set; } = "";

    public string Description { get; set; } = "";

    public string SignIn { get; set; } = "";

    public long MinMemoryMiB { get; set; } = 512;

    public long MinDiskGiB { get; set; } = 10;

    public ImageFormat Format { get; set; } = ImageFormat.Qcow2;

    public ImagePacking Packing { get; set; }

    public ImageBoot Boot { get; set; } = ImageBoot.Disk;

    /// <summary>A file of the operator's own machine, and not an address.</summary>
    public bool Uploads { get; set; }

    public string Address { get; set; } = "";

    public string Sha256 { get; set; } = "";

    /// <summary>A tarball has no boot loader, so it starts with its kernel.</summary>
    public void Choose(ImageFormat format) => (Format, Boot) = (format, format == ImageFormat.Tar ? ImageBoot.Kernel : Boot);

    /// <param name="upload">What was uploaded; null before, or where an address is given.</param>
    public ImportTemplate.Request Request(Guid? upload) =>
        new(Slug.Trim(), Name, Description, SignIn, MinMemoryMiB, MinDiskGiB, Format, Packing, Boot, Uploads ? null : Address, Uploads ? upload : null, Sha256);
}
