using Microsoft.EntityFrameworkCore;
using Portal.App.Consoles;
using Portal.Testing.Postgres;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Consoles;

public sealed class ConsoleSessionsTests(PostgresFixture postgres)
{
    private const string Origin = "http://localhost";

    [Fact]
    public async Task A_changed_password_ends_open_consoles_and_tickets()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        var vm = await world.RunningVmAsync(ct);
        var sessions = world.Main.Get<ConsoleSessions>();
        var owner = await world.ActorAsync(world.Owner.User!.Value, ct);
        var (first, second) = (await TicketAsync(), await TicketAsync());
        var session = (await sessions.RedeemAsync(first, Origin, ct)).Value;
        await using var console = session.Console;
        Assert.True(await sessions.MayGoOnAsync(session, ct));

        await world.Database.ExecuteAsync("UPDATE users SET security_stamp = 'another' WHERE id = $1", ct, owner.User!.Value.Value);

        Assert.False(await sessions.MayGoOnAsync(session, ct));
        Assert.Equal("consoles.ticket_refused", (await sessions.RedeemAsync(second, Origin, ct)).Refusal?.Code);

        async Task<string> TicketAsync() => (await world.Main.Get<OpenConsole.Handler>().HandleAsync(new(world.Tenant, vm.Id, Origin), owner, ct)).Value.Ticket;
    }

    [Fact]
    public async Task A_console_whose_entry_in_the_audit_fails_is_given_to_nobody_and_let_go_of()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var world = await PortalWorld.CreateAsync(postgres, ct);
        var vm = await world.RunningVmAsync(ct);
        await world.Database.ExecuteAsync("ALTER TABLE audit_entries ADD CONSTRAINT no_consoles CHECK (verb <> 'console.opened') NOT VALID", ct);

        await Assert.ThrowsAsync<DbUpdateException>(async () => await RedeemAsync());
        Assert.Equal((1, 0), (world.Main.Consoles.Opened, world.Main.Consoles.Open));

        await world.Database.ExecuteAsync("ALTER TABLE audit_entries DROP CONSTRAINT no_consoles", ct);
        await using (var console = (await RedeemAsync()).Value.Console)
        {
            Assert.Equal((2, 1), (world.Main.Consoles.Opened, world.Main.Consoles.Open));
        }

        Assert.Equal(0, world.Main.Consoles.Open);

        async Task<Portal.Kernel.Result<ConsoleSession>> RedeemAsync()
        {
            var ticket = (await world.Main.Get<OpenConsole.Handler>().HandleAsync(new(world.Tenant, vm.Id, Origin), world.Owner, ct)).Value.Ticket;
            return await world.Main.Get<ConsoleSessions>().RedeemAsync(ticket, Origin, ct);
        }
    }
}
