using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Portal.Web.Hosting;

/// <summary>What the portal is told when it starts.</summary>
public sealed class PortalOptions
{
    public const string Section = "Portal";

    /// <summary>What this machine is registered as: <c>libvirt</c>, <c>simulated</c>, or <c>none</c> where hosts are added in the browser.</summary>
    [RegularExpression("^(libvirt|simulated|none)$", ErrorMessage = "Portal__Engine is libvirt, simulated or none.")]
    public string Engine { get; init; } = "none";

    /// <summary>Where people reach the portal, such as <c>https://portal.example.org</c>: for links in mails. Empty: where it listens.</summary>
    [RegularExpression("^(https?://[^/?#]+/?)?$", ErrorMessage = "Portal__PublicUrl is an address without a path, such as https://portal.example.org.")]
    public string PublicUrl { get; init; } = "";

    /// <summary>
    /// The proxies that may say whom a request comes from and how it was reached (X-Forwarded-For, -Proto, -Host): addresses or networks such as
    /// <c>172.16.0.0/12</c>, separated by blanks or commas. This machine's own are trusted without being named.
    /// </summary>
    [RegularExpression("^[0-9A-Fa-f:./, ]*$", ErrorMessage = "Portal__TrustedProxies has addresses or networks, such as 10.0.0.5 or 172.16.0.0/12.")]
    public string TrustedProxies { get; init; } = "";

    internal Uri? PublicUri => PublicUrl.Length == 0 ? null : new Uri(PublicUrl);

    /// <summary>Operations that one portal process works on at a time.</summary>
    [Range(1, 64)]
    public int Workers { get; init; } = 4;
}

/// <summary>Checks the options when the portal starts.</summary>
[OptionsValidator]
public sealed partial class PortalOptionsValidator : IValidateOptions<PortalOptions>;
