using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Billing;
using Portal.App.Consoles;
using Portal.App.Control;
using Portal.App.Operations;
using Portal.App.Ordering;
using Portal.App.Tenants;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Tests.Access;

/// <summary>Another tenant's ids are ids of nothing: whether they are given with that tenant's id or with one's own.</summary>
public sealed class IsolationTests(TwoTenants fixture) : IClassFixture<TwoTenants>
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Another_tenants_things_are_not_found(bool underOwnTenant)
    {
        var ct = TestContext.Current.CancellationToken;
        var main = fixture.World.Main;
        var me = fixture.World.Owner;
        var tenant = underOwnTenant ? fixture.Own : fixture.Other;
        await using var db = main.Dbs.ForSystem();
        var vm = await db.Vms.Where(v => v.TenantId == fixture.Other).Select(v => v.Id).FirstAsync(ct);
        var order = await db.Orders.Where(o => o.TenantId == fixture.Other && o.ClosedAt == null).Select(o => o.Id).FirstAsync(ct);
        var operation = await db.Operations.Where(o => o.TenantId == fixture.Other).Select(o => o.Id).FirstAsync(ct);
        var key = await db.SshKeys.Where(k => k.TenantId == fixture.Other).Select(k => k.Id).FirstAsync(ct);
        var member = await db.Memberships.Where(m => m.TenantId == fixture.Other).Select(m => m.UserId).FirstAsync(ct);
        var invitation = await db.Invitations.Where(i => i.TenantId == fixture.Other).Select(i => i.Id).FirstAsync(ct);
        var before = await CountAsync();

        IsNotFound(await main.Get<GetVm.Handler>().HandleAsync(new(tenant, vm), me, ct));
        foreach (var action in Enum.GetValues<PowerVm.Action>())
        {
            IsNotFound(await main.Get<PowerVm.Handler>().HandleAsync(new(tenant, vm, action), me, ct));
        }

        IsNotFound(await main.Get<SetBootOrder.Handler>().HandleAsync(new(tenant, vm, 1), me, ct));
        IsNotFound(await main.Get<ChangeVm.Handler>().HandleAsync(new(tenant, vm, new DomainChange.Pause()), me, ct));
        IsNotFound(await main.Get<DeleteVm.Handler>().HandleAsync(new(tenant, vm, "vm-1"), me, ct));
        IsNotFound(await main.Get<RetryBuild.Handler>().HandleAsync(new(tenant, vm), me, ct));
        IsNotFound(await main.Get<OpenConsole.Handler>().HandleAsync(new(tenant, vm, "http://localhost"), me, ct));
        IsNotFound(await main.Get<CancelOrder.Handler>().HandleAsync(new(tenant, order), me, ct));
        IsNotFound(await main.Get<GetOrder.Handler>().HandleAsync(new(order), me, ct));
        IsNotFound(await main.Get<GetOperation.Handler>().HandleAsync(new(operation), me, ct));
        IsNotFound(await main.Get<CancelOperation.Handler>().HandleAsync(new(tenant, operation), me, ct));
        IsNotFound(await main.Get<RemoveSshKey.Handler>().HandleAsync(new(tenant, key), me, ct));
        IsNotFound(await main.Get<ChangeMember.Handler>().HandleAsync(new(tenant, member, TenantRole.Viewer), me, ct));
        IsNotFound(await main.Get<WithdrawInvitation.Handler>().HandleAsync(new(tenant, invitation), me, ct));

        Assert.Equal(before, await CountAsync());

        async Task<(int, int, int, int)> CountAsync() => (
            await db.Operations.CountAsync(ct), await db.AuditEntries.CountAsync(ct), await db.ConsoleTickets.CountAsync(ct), await db.SshKeys.CountAsync(ct));
    }

    [Fact]
    public async Task Another_tenants_lists_are_not_found()
    {
        var ct = TestContext.Current.CancellationToken;
        var main = fixture.World.Main;
        var me = fixture.World.Owner;
        var tenant = fixture.Other;

        IsNotFound(await main.Get<ListVms.Handler>().HandleAsync(new(tenant), me, ct));
        IsNotFound(await main.Get<ListOrders.Handler>().HandleAsync(new(tenant), me, ct));
        IsNotFound(await main.Get<ListOperations.Handler>().HandleAsync(new(tenant), me, ct));
        IsNotFound(await main.Get<ListMembers.Handler>().HandleAsync(new(tenant), me, ct));
        IsNotFound(await main.Get<ListSshKeys.Handler>().HandleAsync(new(tenant), me, ct));
        IsNotFound(await main.Get<ListAudit.Handler>().HandleAsync(new(tenant), me, ct));
        IsNotFound(await main.Get<MonthUsage.Handler>().HandleAsync(new(tenant), me, ct));
        IsNotFound(await main.Get<FindTenant.Handler>().HandleAsync(new("other"), me, ct));
        IsNotFound(await main.Get<PlaceOrder.Handler>().HandleAsync(new(tenant, await fixture.World.FormAsync("x", ct), "k"), me, ct));
        IsNotFound(await main.Get<PreviewOrder.Handler>().HandleAsync(new(tenant, await fixture.World.FormAsync("x", ct)), me, ct));
        Assert.Equal([fixture.Own], (await main.Get<ListTenants.Handler>().HandleAsync(new(), me, ct)).Value.Select(t => t.Id));
        Assert.Single((await main.Get<ListVms.Handler>().HandleAsync(new(fixture.Own), me, ct)).Value.Rows);
    }

    private static void IsNotFound<T>(Result<T> result) => Assert.IsType<NotFound>(result.Refusal);
}
