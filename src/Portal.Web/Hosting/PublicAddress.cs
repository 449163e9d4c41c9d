using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;
using Portal.App.Access;

namespace Portal.Web.Hosting;

/// <summary>Where people reach this portal, for links in mails.</summary>
public sealed class PublicAddress(IOptions<PortalOptions> options, IServer server)
{
    /// <summary>
    /// What <see cref="PortalOptions.PublicUrl"/> says, or else where the portal listens. Never what a request calls it: whoever asks for a mail to
    /// somebody else could have its link lead anywhere.
    /// </summary>
    public Uri Own => options.Value.PublicUri
        ?? new Uri((server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? "http://localhost").Replace("127.0.0.1", "localhost", StringComparison.Ordinal).Replace("[::]", "localhost", StringComparison.Ordinal).Replace("0.0.0.0", "localhost", StringComparison.Ordinal));

    /// <summary>For whoever asks at an address: links that are mailed lead to <see cref="Own"/>, one that is shown may lead to where it is shown.</summary>
    public PortalAddress For(Uri asked) => new(Own, options.Value.PublicUri ?? asked);
}
