namespace Portal.Benchmarks.Client;

// What the portal answers, as far as it is read here. The whole of it is in /openapi/v1.json.

internal sealed record Membership(Guid Tenant, string Role);

internal sealed record Me(Guid Id, string Name, string Email, IReadOnlyList<string> Roles, IReadOnlyList<Membership> Memberships);

internal sealed record Token(string AccessToken);

internal sealed record Tenant(Guid Id, string Slug, string Name, string Currency);

internal sealed record Template(Guid Id, string Slug, string Name, string Description, string SignIn, string Version, long MinMemoryMiB, long MinDiskGiB);

/// <param name="PerHour">Running and allocated together: what a VM costs while it runs.</param>
internal sealed record Price(string Currency, decimal RunningPerHour, decimal AllocatedPerHour, decimal PerHour, decimal PerMonth);

internal sealed record Plan(Guid Id, string Name, int Vcpus, long MemoryMiB, long DiskGiB, Price? Price);

internal sealed record OrderRequestLine(string Template, string Plan, string Name, int Count);

internal sealed record OrderRequest(IReadOnlyList<OrderRequestLine> Lines, string Note)
{
    public static OrderRequest Of(string template, string plan, string name, string note) => new([new(template, plan, name, 1)], note);
}

internal sealed record NoCode(string Code, string Message);

internal sealed record PreviewLine(string What, IReadOnlyList<string> Names, IReadOnlyList<string> Commands);

internal sealed record Preview(IReadOnlyList<PreviewLine> Lines, Price? PriceOfAll, bool ApprovedByPolicy, int HostsThatFit, IReadOnlyList<NoCode> Problems);

internal sealed record Placed(Guid Id, int Number, bool Repeated);

internal sealed record Order(Guid Id, int Number, Guid Tenant, string RequestedBy, DateTimeOffset CreatedAt, string State, string What, IReadOnlyList<string> Names, Price Price);

internal sealed record OrderedVm(Guid Id, string Name, string Stage, string? Problem);

internal sealed record Vote(string By, string Verdict, string Reason, DateTimeOffset At);

internal sealed record OrderDetails(Order Order, string? Problem, IReadOnlyList<OrderedVm> Vms, IReadOnlyList<ApprovalStep> Steps, bool CanCancel);

internal sealed record ApprovalStep(IReadOnlyList<Vote> Votes);

internal sealed record Decision(string Verdict, string? Reason = null);

internal sealed record Step(int Ordinal, string Kind, string Words, string State, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt, int Tries);

internal sealed record Operation(
    Guid Id, Guid Vm, string VmName, string Kind, string State, DateTimeOffset CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt, string? Problem, bool CanCancel, IReadOnlyList<Step> Steps)
{
    public bool HasEnded => State is "Succeeded" or "Failed" or "Cancelled";
}

internal sealed record Vm(Guid Id, string Name, string Status, string Ip, string Plan, string Template);

internal sealed record VmPage(IReadOnlyList<Vm> Vms, Guid? Next);

internal sealed record VmDetails(Vm Vm, string Stage, string Mac, Operation? Live);

internal sealed record Accepted(Guid Operation);

internal sealed record ConsoleOffer(string Path, IReadOnlyList<string> Protocols);

internal sealed record Stretch(DateTimeOffset From, DateTimeOffset To, bool Open);

internal sealed record UsageLine(Guid Vm, string VmName, string Plan, string Meter, decimal Seconds, decimal RatePerHour, decimal Amount, IReadOnlyList<Stretch> Stretches);

internal sealed record Usage(DateTimeOffset AsOf, string Currency, IReadOnlyList<UsageLine> Lines, decimal Total);

internal sealed record HostImage(string Template, string State, string? Problem);

internal sealed record Host(Guid Id, string Name, string Kind, string Hypervisor, DateTimeOffset? SeenAt, string? Problem, IReadOnlyList<HostImage> Images)
{
    public bool IsSimulated => Kind == "Simulated";

    public bool IsReady => Problem is null && SeenAt is not null && Images.Any(i => i.State == "Ready");
}

internal sealed record HostDomain(string Name, Guid Vm, string? VmName, string State);

internal sealed record HostVolume(string Name, Guid Vm, string? VmName, long SizeBytes);

internal sealed record HostAddress(string Ip, Guid Vm, string? VmName);

internal sealed record Inventory(IReadOnlyList<HostDomain> Domains, IReadOnlyList<HostVolume> Volumes, IReadOnlyList<HostAddress> Addresses);

/// <summary>An answer of RFC 9457.</summary>
internal sealed record Problem(string? Title, string? Detail, string? Code, string? Field);
