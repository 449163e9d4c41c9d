using Portal.Kernel;

namespace Portal.Engine;

/// <summary>How a domain would be adopted, or what stands against it.</summary>
public sealed record AdoptionOffer
{
    /// <summary>What stands against it, each with what to do about it, in sentences; empty where nothing does.</summary>
    public required IReadOnlyList<string> Obstacles { get; init; }

    /// <summary>Null where something stands against it.</summary>
    public AdoptedDomain? Domain { get; init; }

    /// <summary>The line with which the host's administrator allows it; empty where something stands against it.</summary>
    public string Permit { get; init; } = "";

    /// <summary>Whether he has.</summary>
    public bool Permitted { get; init; }

    public int Vcpus { get; init; }

    public ByteSize Memory { get; init; }

    /// <summary>All its disks together.</summary>
    public ByteSize Disk { get; init; }

    /// <summary>Null where Xen has made one up at each start.</summary>
    public MacAddress? Mac { get; init; }

    /// <summary>The address that its network card is said to have; null where nothing is said of it.</summary>
    public string? Ip { get; init; }

    /// <summary>What it loses by being adopted; sentences.</summary>
    public IReadOnlyList<string> Losses { get; init; } = [];
}
