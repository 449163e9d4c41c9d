using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Portal.Engine.Images.Import;

/// <summary>Which addresses an image may be fetched from: those of the public internet, and none of this machine's own or of its networks.</summary>
internal static class PublicAddress
{
    // Not globally reachable, or not one machine's: IANA's special-purpose registry for IPv4 (RFC 6890), multicast, and what is reserved above it.
    private static readonly IPNetwork[] s_notPublic4 =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24",
            "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        }.Select(text => IPNetwork.Parse(text)),
    ];

    // All of IPv6 that was ever given out. Outside of it are loopback, link-local, ULA, multicast, mapped IPv4 (::ffff:0:0/96) and NAT64 (64:ff9b::/96).
    private static readonly IPNetwork s_given6 = IPNetwork.Parse("2000::/3");

    // Within it: protocols' own and Teredo (2001::/23), documentation, 6to4, which carries an IPv4 address that nobody has looked at, and AS112.
    private static readonly IPNetwork[] s_notPublic6 =
        [.. new[] { "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20" }.Select(text => IPNetwork.Parse(text))];

    /// <summary>Whether it is somebody's on the internet.</summary>
    public static bool Is(IPAddress address) => address.AddressFamily switch
    {
        AddressFamily.InterNetwork => !s_notPublic4.Any(network => network.Contains(address)),
        AddressFamily.InterNetworkV6 => address.ScopeId == 0 && !address.IsIPv4MappedToIPv6 && s_given6.Contains(address) && !s_notPublic6.Any(network => network.Contains(address)),
        _ => false,
    };

    /// <summary>Whether this machine has it: what listens here is not for the internet, whatever its address is.</summary>
    public static bool IsOwn(IPAddress address) =>
        NetworkInterface.GetAllNetworkInterfaces().SelectMany(card => card.GetIPProperties().UnicastAddresses).Any(own => own.Address.Equals(address));
}
