using Portal.App.Templates;

namespace Portal.Web.Catalogue;

/// <summary>The form of a template with its VMs' root on an NFS server, while it is filled in.</summary>
public sealed class NfsDraft
{
    public string Slug { get; set; } = "";

    public string Name { get; set; } = "";

    public string Description { get; set; } = "";

    public string SignIn { get; set; } = "";

    public long MinMemoryMiB { get; set; } = 256;

    public string Server { get; set; } = "";

    public string Path { get; set; } = "";

    public bool Writable { get; set; }

    public AddNfsTemplate.Request Request() => new(Slug.Trim(), Name, Description, SignIn, MinMemoryMiB, Server, Path, Writable);
}
