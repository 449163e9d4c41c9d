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

    /// <summary>Operations that one portal process works on at a time.</summary>
    [Range(1, 64)]
    public int Workers { get; init; } = 4;
}

/// <summary>Checks the options when the portal starts.</summary>
[OptionsValidator]
public sealed partial class PortalOptionsValidator : IValidateOptions<PortalOptions>;
