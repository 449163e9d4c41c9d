using System.Net;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.App.Hosts;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Networks;

/// <summary>An IPv4 network on a host, from which guests get their addresses.</summary>
public sealed class Network
{
    private Network()
    {
    }

    public Network(HostId host, string name, int prefixLength, IPAddress gateway, IPAddress dns, Ipv4Range range, bool shared)
    {
        Id = NetworkId.New();
        HostId = host;
        Name = name;
        PrefixLength = prefixLength;
        Gateway = gateway;
        Dns = dns;
        (FirstIp, LastIp) = (range.First, range.Last);
        Shared = shared;
    }

    public NetworkId Id { get; private set; }

    public HostId HostId { get; private set; }

    public string Name { get; private set; } = "";

    public int PrefixLength { get; private set; }

    public IPAddress Gateway { get; private set; } = IPAddress.None;

    public IPAddress Dns { get; private set; } = IPAddress.None;

    /// <summary>The addresses that guests get are this one ...</summary>
    public Ipv4Address FirstIp { get; private set; }

    /// <summary>... to this one.</summary>
    public Ipv4Address LastIp { get; private set; }

    /// <summary>Whether its guests are on a wire with others, so that no address may be given out twice. Not where each host translates for its own guests.</summary>
    public bool Shared { get; private set; }

    /// <summary>As it is written: <c>10.0.2.0/24</c>.</summary>
    public string Cidr => $"{new Ipv4Address(FirstIp.Value & (uint.MaxValue << (32 - PrefixLength)))}/{PrefixLength}";

    /// <summary>Its host is gone, and what was on the wire with it.</summary>
    public void Retire() => Shared = false;

    /// <summary>Whether guests of both are on one wire, with the same way out: hosts whose addresses are from one network are told apart by their ranges alone.</summary>
    public bool IsOneWith(Network other) => Shared && other.Shared && Cidr == other.Cidr && Gateway.Equals(other.Gateway);

    public GuestAddress Guest(Ipv4Address address) => new(address.ToIPAddress(), PrefixLength, Gateway, Dns);
}

/// <summary>Addresses from the first to the last, both included.</summary>
public readonly record struct Ipv4Range(Ipv4Address First, Ipv4Address Last)
{
    public long Count => (long)Last.Value - First.Value + 1;

    public IEnumerable<Ipv4Address> All
    {
        get
        {
            for (var value = (long)First.Value; value <= Last.Value; value++)
            {
                yield return new Ipv4Address((uint)value);
            }
        }
    }

    public bool Has(Ipv4Address address) => address >= First && address <= Last;
}

/// <summary>One address of a network, there from the start: it is taken and given back, never searched for on the wire.</summary>
public sealed class Address
{
    private Address()
    {
    }

    public Address(NetworkId network, Ipv4Address ip)
    {
        NetworkId = network;
        Ip = ip;
    }

    /// <summary>How long an address rests before another tenant may get it.</summary>
    public static readonly TimeSpan CoolDown = TimeSpan.FromHours(1);

    public NetworkId NetworkId { get; private set; }

    public Ipv4Address Ip { get; private set; }

    /// <summary>Who has it; null where it is free.</summary>
    public VmId? VmId { get; private set; }

    /// <summary>Whose it was last; the empty tenant where it was nobody's.</summary>
    public TenantId LastTenantId { get; private set; }

    public DateTimeOffset? ReleasedAt { get; private set; }

    public void Take(VmId vm, TenantId tenant)
    {
        if (VmId is { } other && other != vm)
        {
            throw new InvalidOperationException($"{Ip} is taken by VM {other}.");
        }

        VmId = vm;
        LastTenantId = tenant;
        ReleasedAt = null;
    }

    public void Release(DateTimeOffset at)
    {
        VmId = null;
        ReleasedAt = at;
    }
}

/// <summary>There is room, but no address that this tenant could have.</summary>
public sealed record NoAddressLeft()
    : Refusal("networks.no_address", "There is room, but every address is taken or still rests from its last tenant. Delete a VM, or ask the provider for more addresses.");

internal sealed class NetworkConfiguration : IEntityTypeConfiguration<Network>
{
    public void Configure(EntityTypeBuilder<Network> builder)
    {
        builder.ToTable("networks", table => table.HasCheckConstraint("ck_networks_range", "first_ip <= last_ip"));
        builder.Ignore(n => n.Cidr);
        builder.Property(n => n.Name).HasMaxLength(100);
        builder.Property<uint>("xmin").IsRowVersion();
        builder.HasIndex(n => new { n.HostId, n.Name }).IsUnique();
        builder.HasOne<Host>().WithMany().HasForeignKey(n => n.HostId).OnDelete(DeleteBehavior.Restrict);
    }
}

internal sealed class AddressConfiguration : IEntityTypeConfiguration<Address>
{
    public void Configure(EntityTypeBuilder<Address> builder)
    {
        builder.ToTable("addresses");
        builder.HasKey(a => new { a.NetworkId, a.Ip });
        // One address a VM in this networks; a free address has no VM, and nulls do not meet in this index by intent.
        builder.HasIndex(a => a.VmId).IsUnique().HasFilter("vm_id IS NOT NULL");
        builder.HasOne<Network>().WithMany().HasForeignKey(a => a.NetworkId).OnDelete(DeleteBehavior.Restrict);
    }
}
