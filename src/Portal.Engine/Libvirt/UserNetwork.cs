using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Portal.Engine.Libvirt;

/// <summary>
/// QEMU's user-mode network: each guest alone behind an address translation inside its QEMU process. It needs no bridge and no rights; nothing
/// reaches the guest from outside. Its own addresses are fixed (net/slirp.c of QEMU): 2.2 and 2.3 within the network, so 10.77.2.2 in 10.77.0.0/16
/// and 10.77.0.2 in 10.77.0.0/24.
/// </summary>
internal static class UserNetwork
{
    public static IPAddress NetworkOf(GuestAddress guest) => new(BytesOf(Bits(guest.Address) & Mask(guest.PrefixLength)));

    public static IPAddress GatewayOf(GuestAddress guest) => Within(guest, 0x0202);

    public static IPAddress ResolverOf(GuestAddress guest) => Within(guest, 0x0203);

    /// <summary>What is wrong with an address for this network, in a sentence; null where nothing is.</summary>
    public static string? Complaint(GuestAddress guest)
    {
        if (guest.Address.AddressFamily != AddressFamily.InterNetwork || guest.PrefixLength is < 8 or > 28)
        {
            return $"{guest.Address}/{guest.PrefixLength} is not an IPv4 address in a network of 16 addresses to a /8.";
        }

        var host = Bits(guest.Address) & ~Mask(guest.PrefixLength);
        if (host == 0 || host == ~Mask(guest.PrefixLength) || guest.Address.Equals(GatewayOf(guest)) || guest.Address.Equals(ResolverOf(guest)))
        {
            return $"{guest.Address} is one of the network's own addresses. Give the guest another.";
        }

        return guest.Gateway.Equals(GatewayOf(guest)) && guest.Dns.AddressFamily == AddressFamily.InterNetwork
            ? null
            : $"user-mode networking has its gateway at {GatewayOf(guest)} and its resolver at {ResolverOf(guest)}, the network says {guest.Gateway} and {guest.Dns}. Correct the network.";
    }

    private static IPAddress Within(GuestAddress guest, uint host) =>
        new(BytesOf((Bits(guest.Address) & Mask(guest.PrefixLength)) | (host & ~Mask(guest.PrefixLength))));

    private static uint Bits(IPAddress address) => BinaryPrimitives.ReadUInt32BigEndian(address.MapToIPv4().GetAddressBytes());

    private static uint Mask(int prefixLength) => prefixLength == 0 ? 0 : uint.MaxValue << (32 - prefixLength);

    private static byte[] BytesOf(uint bits)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, bits);
        return bytes;
    }
}
