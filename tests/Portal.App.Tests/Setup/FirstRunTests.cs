using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portal.App.Access;
using Portal.App.Setup;
using Portal.Testing.Postgres;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Setup;

public sealed class FirstRunTests(PostgresFixture postgres)
{
    private static readonly FirstRunRequest s_request = new("simulated", "/srv/pool", [], null, null);

    private readonly HashSet<string> _instances = [];

    [Fact]
    public async Task Repeated_it_changes_nothing()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var database = await postgres.NewEmptyAsync(ct);
        await using var process = await PortalWorld.StartAsync(database, ct);
        var kept = new List<MadeAccount>();
        await RunAsync(process, kept, ct);
        var first = await CountAsync(process, ct);

        await RunAsync(process, kept, ct);

        Assert.Equal(3, kept.Count);
        Assert.Equal(first, await CountAsync(process, ct));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public async Task Cut_short_anywhere_and_repeated_it_ends_well(int commit)
    {
        var ct = TestContext.Current.CancellationToken;
        await using var database = await postgres.NewEmptyAsync(ct);
        var kept = new List<MadeAccount>();
        await using (var victim = await PortalWorld.StartAsync(database, ct))
        {
            victim.Fate.DieAt(new Point(Act.Commit, commit, Moment.Before));
            await Assert.ThrowsAnyAsync<Exception>(() => RunAsync(victim, kept, ct));
            Assert.True(victim.Fate.IsDead);
            await victim.KillAsync(ct);
        }

        await using var next = await PortalWorld.StartAsync(database, ct);
        await RunAsync(next, kept, ct);

        // Templates, plans with prices, blueprints, hosts, addresses, tenants, people, roles, memberships.
        Assert.Equal((1, 5, 5, 1, 1, 4 * 254, 1, 3, 6, 1), await CountAsync(next, ct));
        await using var scope = next.Services.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<PortalUser>>();
        // Whatever was told last opens the accounts.
        foreach (var account in kept.TakeLast(3))
        {
            Assert.True(await users.CheckPasswordAsync((await users.FindByEmailAsync(account.Email))!, account.Password!));
        }
    }

    [Fact]
    public async Task A_named_administrator_is_the_only_account_and_a_weak_password_is_refused()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var database = await postgres.NewEmptyAsync(ct);
        await using var process = await PortalWorld.StartAsync(database, ct);
        var kept = new List<MadeAccount>();
        await Assert.ThrowsAsync<SetupException>(() => RunAsync(process, kept, ct, s_request with { AdminEmail = "ada@example.org", AdminPassword = "short" }));

        await RunAsync(process, kept, ct, s_request with { AdminEmail = "ada@example.org", AdminPassword = "correct horse battery" });

        await using var db = process.Dbs.ForSystem();
        Assert.Equal(["ada@example.org"], await db.Users.Select(u => u.Email).ToListAsync(ct));
        // Whoever gave a password knows it; it is not written down once more.
        Assert.All(kept, account => Assert.Null(account.Password));
    }

    [Fact]
    public async Task Another_machine_on_the_same_database_is_refused_before_it_touches_anything()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var database = await postgres.NewEmptyAsync(ct);
        await using var process = await PortalWorld.StartAsync(database, ct);
        await RunAsync(process, [], ct);
        var mine = _instances.Single();
        _instances.Clear();

        var refused = await Assert.ThrowsAsync<SetupException>(() => RunAsync(process, [], ct, s_request with { PoolPath = "/other" }));

        Assert.Contains(mine, refused.Message, StringComparison.Ordinal);
        await using var db = process.Dbs.ForSystem();
        Assert.Equal(("/srv/pool", mine), await db.Hosts.Select(h => new ValueTuple<string, string>(h.PoolPath, h.Instance)).SingleAsync(ct));
    }

    [Fact]
    public async Task A_machine_whose_host_was_written_off_is_registered_anew()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var database = await postgres.NewEmptyAsync(ct);
        await using var process = await PortalWorld.StartAsync(database, ct);
        await RunAsync(process, [], ct);
        await using var db = process.Dbs.ForSystem();
        (await db.Hosts.SingleAsync(ct)).WriteOff();
        await db.SaveChangesAsync(ct);

        await RunAsync(process, [], ct);

        Assert.Equal(2, _instances.Count);
        Assert.Equal(2, await db.Hosts.Select(h => h.Instance).Distinct().CountAsync(ct));
    }

    private async Task RunAsync(WorldProcess process, List<MadeAccount> kept, CancellationToken ct, FirstRunRequest? request = null)
    {
        await using var scope = process.Services.CreateAsyncScope();
        var notes = new FirstRunNotes(
            made => { kept.AddRange(made); return Task.CompletedTask; },
            instance => { _instances.Add(instance); return Task.CompletedTask; });
        await scope.ServiceProvider.GetRequiredService<FirstRun>().RunAsync((request ?? s_request) with { Instances = [.. _instances] }, notes, ct);
    }

    private static async Task<(int, int, int, int, int, int, int, int, int, int)> CountAsync(WorldProcess process, CancellationToken ct)
    {
        await using var db = process.Dbs.ForSystem();
        return (await db.Templates.CountAsync(ct), await db.Plans.CountAsync(ct), await db.PlanPrices.CountAsync(ct), await db.SavedOrders.CountAsync(ct), await db.Hosts.CountAsync(ct), await db.Addresses.CountAsync(ct),
            await db.Tenants.CountAsync(ct), await db.Users.CountAsync(ct), await db.StaffRoles.CountAsync(ct), await db.Memberships.CountAsync(ct));
    }
}
