using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Hosts;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Fleet;

/// <summary>The host could not be asked.</summary>
public sealed record HostSilent(string Host, string Problem)
    : Refusal("hosts.silent", $"Host {Host} does not answer: {Problem}")
{
    public override RefusalKind Kind => RefusalKind.Unavailable;
}

/// <summary>Looks at all that a host needs to work, now: each thing with how it was found, and what to do about it.</summary>
public static class SurveyHost
{
    public sealed record Request(HostId Host);

    public sealed class Handler(PortalDbs dbs, AccessRules access, IVmEngines engines)
    {
        /// <summary>Changes nothing. What is bad comes first.</summary>
        public async Task<Result<IReadOnlyList<HostCheck>>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.SeeHosts) is { } refusal)
            {
                return refusal;
            }

            var host = await dbs.FindHostAsync(request.Host, ct);
            if (host is null)
            {
                return new NotFound("host");
            }

            try
            {
                return Result<IReadOnlyList<HostCheck>>.Of([.. (await engines.For(host.Connection).SurveyAsync(ct)).OrderByDescending(c => c.Level)]);
            }
            catch (HostFaultException fault)
            {
                return new HostSilent(host.Name, fault.Message);
            }
        }
    }
}

/// <summary>Reads what a host says in its own words: the hypervisor's messages, its memory.</summary>
public static class ReadHostPaper
{
    /// <param name="Paper">Its name; null for the first.</param>
    public sealed record Request(HostId Host, string? Paper);

    /// <param name="Papers">What else there is.</param>
    public sealed record Paper(string Name, string Text, IReadOnlyList<string> Papers);

    public sealed class Handler(PortalDbs dbs, AccessRules access, IVmEngines engines)
    {
        /// <summary>Changes nothing.</summary>
        public async Task<Result<Paper>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.SeeHosts) is { } refusal)
            {
                return refusal;
            }

            var host = await dbs.FindHostAsync(request.Host, ct);
            if (host is null)
            {
                return new NotFound("host");
            }

            var engine = engines.For(host.Connection);
            if ((request.Paper ?? (engine.Papers.Count > 0 ? engine.Papers[0] : null)) is not { } name || !engine.Papers.Contains(name))
            {
                return new NotFound("paper");
            }

            try
            {
                return new Paper(name, await engine.ReadPaperAsync(name, ct), engine.Papers);
            }
            catch (HostFaultException fault)
            {
                return new HostSilent(host.Name, fault.Message);
            }
        }
    }
}

/// <summary>Hosts by their id.</summary>
internal static class HostLookup
{
    /// <summary>Null where there is none, or it was written off.</summary>
    public static async Task<Host?> FindHostAsync(this PortalDbs dbs, HostId id, CancellationToken ct)
    {
        await using var db = dbs.ForSystem();
        return await db.Hosts.AsNoTracking().SingleOrDefaultAsync(h => h.Id == id && h.Mode != HostMode.WrittenOff, ct);
    }
}
