using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Portal.App.Policies;
using Portal.Kernel;
using Portal.Testing.Postgres;

namespace Portal.App.Tests.Policies;

/// <summary>What tenants and orders were before there were policies is the same after.</summary>
public sealed class PolicyMigrationTests(PostgresFixture postgres)
{
    [Fact]
    public async Task Tenants_and_waiting_orders_of_before_keep_who_decides()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var database = await postgres.NewEmptyAsync(ct);
        // Back to before, where there is nothing to lose, and on again with rows.
        await using var source = Npgsql.NpgsqlDataSource.Create(database.ConnectionString + ";Pooling=false");
        await using (var db = new PortalDbs(source).ForMigrations())
        {
            await db.GetService<IMigrator>().MigrateAsync("20261129134508_Prices", ct);
        }

        var (automatic, asked) = (await AddAsync(database, "automatic", "Automatic", ct), await AddAsync(database, "asked", "Approvers", ct));
        await using (var db = new PortalDbs(source).ForMigrations())
        {
            await db.Database.MigrateAsync(ct);
        }

        await using var system = new PortalDbs(source).ForSystem();
        var steps = await system.ApprovalSteps.ToDictionaryAsync(s => s.TenantId, ct);
        Assert.Equal((0, true, 0), (steps[automatic].VotesNeeded, steps[automatic].DecidedAt is not null, steps[automatic].Who().Count));
        Assert.Equal((1, false, "an approver", PolicySide.Provider, 1), (steps[asked].VotesNeeded, steps[asked].DecidedAt is not null, PolicyWords.Who(1, steps[asked].Who()), steps[asked].Side, steps[asked].Stage));
        var policy = await system.ApprovalPolicies.SingleAsync(ct);
        Assert.Equal((automatic, 1, WrittenPolicy.Of(PolicyBody.Nobody)), (policy.TenantId, policy.Version, WrittenPolicy.Of(policy.Body()!)));
        Assert.Equal(0, (await system.ReadPolicyAsync(asked, PolicySide.Provider, ct))!.Version);
    }

    private static async Task<TenantId> AddAsync(TestDatabase database, string slug, string approval, CancellationToken ct)
    {
        var tenant = TenantId.New();
        await database.ExecuteAsync("INSERT INTO tenants (id, slug, name, currency, approval, vm_limit, vcpu_limit, memory_mi_b_limit, disk_gi_b_limit) VALUES ($1, $2, $2, 'EUR', $3, 'unlimited', 'unlimited', 'unlimited', 'unlimited')", ct, tenant.Value, slug, approval);
        await database.ExecuteAsync("INSERT INTO projects (id, tenant_id, name) VALUES ($1, $1, 'Default')", ct, tenant.Value);
        await database.ExecuteAsync("INSERT INTO orders (id, tenant_id, project_id, requested_by_id, requested_by, requester_email, note, request_key, request_hash, created_at, expires_at) VALUES ($1, $1, $1, $1, 'Ada', 'ada@example.org', '', 'k', '', clock_timestamp(), clock_timestamp())", ct, tenant.Value);
        await database.ExecuteAsync("INSERT INTO approval_steps (id, order_id, tenant_id, ordinal, mode, votes_needed, four_eyes) VALUES ($1, $1, $1, 1, $2, 1, true)", ct, tenant.Value, approval);
        return tenant;
    }
}
