using System.Globalization;
using Portal.App.Access;
using Portal.App.Networks;
using Portal.Kernel;

namespace Portal.App.Fleet;

/// <summary>The addresses of a host's guests, read from a form.</summary>
/// <param name="Own">The host's own, where it was named by it.</param>
internal sealed record AddressPlan(Ipv4Address Network, int PrefixLength, Ipv4Range Range, Ipv4Address Gateway, Ipv4Address Dns, Ipv4Address? Own)
{
    /// <summary>What guests may have: not the network itself, its broadcast address, or the gateway's, the resolver's and the host's own.</summary>
    public IEnumerable<Ipv4Address> ForGuests => Range.All.Where(ip => ip != Network && ip != Broadcast(Network, PrefixLength) && ip != Gateway && ip != Dns && ip != Own);

    /// <summary>Pure.</summary>
    public static Result<AddressPlan> Read(HostForm form)
    {
        var network = default(Ipv4Address);
        var prefix = 0;
        var parts = form.Network.Trim().Split('/');
        var isNetwork = parts is [var start, var length] && Ipv4Address.TryParse(start, out network) && int.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out prefix)
            && prefix is >= 8 and <= 30 && (network.Value & ~Mask(prefix)) == 0;
        var isFirst = Ipv4Address.TryParse(form.FirstIp.Trim(), out var first);
        var isLast = Ipv4Address.TryParse(form.LastIp.Trim(), out var last);
        var isGateway = Ipv4Address.TryParse(form.Gateway.Trim(), out var gateway);
        var isDns = Ipv4Address.TryParse(form.Dns.Trim(), out var dns);
        var range = new Ipv4Range(first, last);
        var wrong = Shape.Check(
            (isNetwork, "network", "A network as 10.0.2.0/24: its first address, and 8 to 30 bits."),
            (isFirst && (!isNetwork || Within(first)), "firstIp", "An address of the network."),
            (isLast && (!isNetwork || Within(last)), "lastIp", "An address of the network."),
            (!isFirst || !isLast || (first <= last && range.Count <= AddHost.MaxAddresses), "lastIp", $"At or after the first, and no more than {AddHost.MaxAddresses} addresses in all."),
            (isGateway && (!isNetwork || Within(gateway)), "gateway", "The address of the network's router, in the network."),
            (isDns, "dns", "The IPv4 address of a resolver."));
        if (wrong is not null)
        {
            return wrong;
        }

        var plan = new AddressPlan(network, prefix, range, gateway, dns, Ipv4Address.TryParse(form.Address.Trim(), out var own) ? own : null);
        return plan.ForGuests.Any() ? plan : new Invalid("lastIp", "There is no address left for a guest between these two.");

        bool Within(Ipv4Address ip) => (ip.Value & Mask(prefix)) == network.Value;
    }

    private static uint Mask(int prefix) => uint.MaxValue << (32 - prefix);

    private static Ipv4Address Broadcast(Ipv4Address network, int prefix) => new(network.Value | ~Mask(prefix));
}
