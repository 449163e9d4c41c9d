using Portal.Kernel;

namespace Portal.Engine;

/// <summary>The pool has no room for what was asked.</summary>
public sealed record PoolFull(ByteSize Asked, ByteSize Free)
    : Refusal("engine.pool_full", $"The host's storage pool has {Free} free, and {Asked} are needed. Free space in the pool, then retry.");

/// <summary>A worker with a higher epoch has taken over.</summary>
public sealed record FencedOff(long Epoch, long Highest)
    : Refusal("engine.fenced", $"Another worker has taken over (epoch {Highest}, this one is {Epoch}).");

/// <summary>Something that this portal did not make is where its own should be.</summary>
public sealed record Occupied(string What)
    : Refusal("engine.occupied", $"{What} exists on the host and was not made for this VM. An operator has to look at it.");

/// <summary>The host said no, and repeating would not change it.</summary>
public sealed record HostSaidNo(string Doing, string Answer)
    : Refusal("engine.host_said_no", $"The host refused to {Doing}: {Answer}");

/// <summary>The template's image is not on the host.</summary>
public sealed record TemplateMissing(string Template)
    : Refusal("engine.template_missing", $"The image of template {Template} is not on the host. Build it on the host's page, then retry.");

/// <summary>The host's driver has no such thing.</summary>
public sealed record NotOffered(DomainAbility Ability)
    : Refusal("engine.not_offered", $"This VM's host does not offer that ({Ability}).");

/// <summary>The host's driver does not read what others configured.</summary>
public sealed record ForeignNotSeen()
    : Refusal("engine.foreign_not_seen", "Domains that others made are not read on this host.");

/// <summary>The host's administrator did not let the portal have this domain, or not any more.</summary>
public sealed record AdoptionNotPermitted(string Domain)
    : Refusal("engine.adoption_not_permitted", $"The host's administrator has not let the portal adopt {Domain}: its line is not in /etc/portal-host.conf there, or names other things.");

/// <summary>It takes a domain that runs, or one that does not.</summary>
public sealed record WrongState(string Domain, string Needs)
    : Refusal("engine.wrong_state", $"The domain {Domain} has to be {Needs} for that.");

/// <summary>A disk is in use by a running domain.</summary>
public sealed record DiskInUse(string Domain)
    : Refusal("engine.disk_in_use", $"The domain {Domain} is still running; its disk cannot be removed.");

/// <summary>An image that an operator brought cannot become a template.</summary>
/// <param name="Why">What is wrong with it, and what to do, in whole sentences.</param>
public sealed record ImageRefused(string Why)
    : Refusal("engine.image_refused", Why);

/// <summary>Images start from their own disk, and this host cannot do that.</summary>
/// <param name="Why">What it lacks, in words that follow a colon.</param>
public sealed record DiskNotBooted(string Template, string Why)
    : Refusal("engine.disk_not_booted", $"{Template} starts from its own disk, which this host cannot do: {Why}.");

/// <summary>Guests have their root on an NFS server, and this host's have no address by which one could know them.</summary>
public sealed record NfsNotBooted(string Template)
    : Refusal("engine.nfs_not_booted", $"Guests of {Template} have their root on an NFS server, which this host's guests do not reach as themselves: each is behind an address translation.");

/// <summary>The portal's machine cannot confine the programs that take an image apart.</summary>
public sealed record NoSandbox(string Why)
    : Refusal("engine.no_sandbox", $"Images are taken apart only in a sandbox, and this machine has none: {Why}");
