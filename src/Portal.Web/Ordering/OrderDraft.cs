using Portal.App.Ordering;
using Portal.Kernel;

namespace Portal.Web.Ordering;

/// <summary>An order form while it is filled in. It stands in the page's address, so that a reload, or a colleague with the link, sees the same.</summary>
public sealed class OrderDraft
{
    /// <summary>Made when the form opens: the same key makes the same order, however often the button is pressed.</summary>
    public string Key { get; set; } = "";

    public TemplateId Template { get; set; }

    public PlanId Plan { get; set; }

    public string Name { get; set; } = "";

    /// <summary>As it was typed, however large.</summary>
    public long Count { get; set; } = 1;

    /// <summary>The stored keys that are ticked.</summary>
    public HashSet<SshKeyId> Keys { get; } = [];

    /// <summary>Further keys, one a line.</summary>
    public string Pasted { get; set; } = "";

    /// <summary>Of what was pasted, what may stand in an address: public keys. A private key pasted by mistake must reach neither a browser's history nor a proxy's log.</summary>
    public string PublicPasted => string.Join('\n', PastedLines.Where(line => SshPublicKey.TryParse(line, out _)));

    /// <summary>Empties the field where a private key was pasted: it must not stay on the screen either.</summary>
    /// <returns>Whether there was one.</returns>
    public bool DropPrivateKey()
    {
        if (!SshPublicKey.LooksPrivate(Pasted))
        {
            return false;
        }

        Pasted = "";
        return true;
    }

    public string Note { get; set; } = "";

    /// <summary>For the first boot. In no address: it may be long, and a secret.</summary>
    public string UserData { get; set; } = "";

    private string[] PastedLines => Pasted.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>The form as the handlers take it.</summary>
    public OrderForm ToForm(IReadOnlyDictionary<SshKeyId, string> stored) => new(
        Template,
        Plan,
        Name.Trim(),
        (int)Math.Clamp(Count, 0, int.MaxValue),
        [
            .. Keys.Where(stored.ContainsKey).Select(k => stored[k]).Order(StringComparer.Ordinal),
            .. PastedLines,
        ],
        Note,
        UserData);
}
