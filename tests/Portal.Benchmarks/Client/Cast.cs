using System.Net;

namespace Portal.Benchmarks.Client;

/// <summary>Who plays which part: one orders, another approves, a third looks at the hosts.</summary>
internal sealed class Cast : IDisposable
{
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_imageBuild = TimeSpan.FromMinutes(5);

    private readonly IReadOnlyList<PortalClient> _all;

    private Cast(IReadOnlyList<PortalClient> all, PortalClient requester, Tenant tenant, PortalClient? approver, PortalClient staff)
    {
        _all = all;
        Requester = requester;
        Tenant = tenant;
        Approver = approver;
        Staff = staff;
    }

    public PortalClient Requester { get; }

    public Tenant Tenant { get; }

    /// <summary>Null where nobody is an approver: the policy then has to say yes by itself.</summary>
    public PortalClient? Approver { get; }

    /// <summary>What to say where an order waits and <see cref="Approver"/> is null.</summary>
    public Shortfall NobodyApproves => new($"{Tenant.Name} has its orders approved by somebody else than who orders, and none of {Names(_all)} can. {Remedy}");

    /// <summary>Somebody who may look at hosts.</summary>
    public PortalClient Staff { get; }

    /// <summary>Signs everybody in, and finds out from what each may do who plays which part.</summary>
    /// <exception cref="Shortfall">A part cannot be filled; the message says by whom it could be.</exception>
    public static async Task<Cast> SignInAsync(Uri portal, IReadOnlyList<Account> accounts, CancellationToken ct)
    {
        var all = new List<PortalClient>();
        try
        {
            foreach (var account in accounts)
            {
                all.Add(await SignInAsync(portal, account, ct));
            }

            var requester = all.Find(c => PlaceOf(c) is not null) ?? throw new Shortfall(
                $"None of {Names(all)} belongs to a tenant, so none can order. {Remedy}");
            var place = PlaceOf(requester)!;
            var tenant = (await requester.GetAsync<IReadOnlyList<Tenant>>("tenants", ct)).Single(t => t.Id == place.Tenant);
            // Each part by whoever has the fewest other roles: that is how it is in life.
            var approver = all.Where(c => c != requester && c.Me.Roles.Contains("Approver")).MinBy(c => c.Me.Roles.Count);
            var staff = all.Where(c => c.Me.Roles.Any(r => r is "Operator" or "Administrator" or "Support")).MinBy(c => c.Me.Roles.Count) ?? throw new Shortfall(
                $"None of {Names(all)} may look at hosts, so nobody could prove that nothing is left on them. Add the account of an operator or an administrator to the file.");
            return new Cast(all, requester, tenant, approver, staff);
        }
        catch
        {
            all.ForEach(c => c.Dispose());
            throw;
        }
    }

    /// <summary>All hosts, once one of them can take VMs: a portal that has just started still builds its templates' images.</summary>
    /// <param name="waits">Called once where that takes a while.</param>
    /// <exception cref="Shortfall">None can; the message has each host's reason.</exception>
    public async Task<IReadOnlyList<Host>> ReadyHostsAsync(Action waits, CancellationToken ct)
    {
        var told = false;
        var hosts = await Following.UntilAsync(
            () => Staff.GetAsync<IReadOnlyList<Host>>("hosts", ct),
            all =>
            {
                var settled = all.Count == 0 || all.Any(h => h.IsReady) || all.Any(h => h.Images.Any(i => i.State == "Failed"));
                if (!settled && !told)
                {
                    waits();
                    told = true;
                }

                return settled;
            },
            s_look,
            s_imageBuild,
            ct);
        return hosts.Any(h => h.IsReady) ? hosts : throw new Shortfall(hosts.Count == 0
            ? "This portal has no host. An operator can add one."
            : $"No host can take a VM now. {string.Join(" ", hosts.Select(h => $"{h.Name}: {h.Problem ?? string.Join(" ", h.Images.Select(i => $"{i.Template}: {i.State.ToLowerInvariant()}. {i.Problem}"))}"))}");
    }

    public void Dispose()
    {
        foreach (var client in _all)
        {
            client.Dispose();
        }
    }

    // An invitation is taken in a browser: it makes an account, or asks the one who is signed in.
    private const string Remedy =
        "A portal whose administrator came from PORTAL_ADMIN_EMAIL has that one account: sign in as it, invite a member to a tenant (another e-mail address), " +
        "open the invitation's link in a private window, and put both lines, e-mail address and password, into a file for --accounts.";

    private static Membership? PlaceOf(PortalClient client) => client.Me.Memberships.FirstOrDefault(m => m.Role is "Owner" or "Member");

    private static string Names(IEnumerable<PortalClient> clients) => string.Join(", ", clients.Select(c => c.Me.Email));

    private static async Task<PortalClient> SignInAsync(Uri portal, Account account, CancellationToken ct)
    {
        try
        {
            return await PortalClient.SignInAsync(portal, account, ct);
        }
        catch (PortalSaidNo no) when (no.Status == HttpStatusCode.Unauthorized)
        {
            throw new Shortfall($"{account.Email} cannot sign in: {no.Message} If the password was changed since the first run, put the new one into the file of --accounts.", no);
        }
    }
}
