namespace Portal.Engine;

/// <summary>
/// The machine at the host's address has another SSH key than the one that was pinned: it was installed anew, or somebody stands in between. Nothing
/// was told to it. Only an operator may decide which, so this is not tried again and again like a host that is silent.
/// </summary>
public sealed class HostKeyChangedException : HostFaultException
{
    public HostKeyChangedException(string host, string pinned, string shown)
        : base($"{host} shows another SSH key than the one it was added with, and was not spoken to. Pinned: {pinned}. Shown: {shown}. If the host was installed anew, pin its new key on its page; if not, find out who answers at its address.")
    {
        Pinned = pinned;
        Shown = shown;
    }

    /// <summary>The fingerprint it was added with, as ssh-keygen -l prints it.</summary>
    public string Pinned { get; }

    /// <summary>The fingerprint of the key that it showed.</summary>
    public string Shown { get; }
}
