using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.App.Catalogue;
using Portal.App.Ordering;
using Portal.Kernel;
using Portal.Testing.Worlds;

namespace Portal.App.Tests.Ordering;

/// <summary>Order forms that are kept: drafts and blueprints.</summary>
public sealed class SavedOrderTests(WorldFixture fixture) : IClassFixture<WorldFixture>
{
    private const string Secret = "#!/bin/sh\necho the-password-of-the-database\n";

    private readonly PortalWorld _world = fixture.World;

    [Fact]
    public async Task A_draft_comes_back_as_it_was_kept_and_is_gone_once_it_was_ordered()
    {
        var ct = TestContext.Current.CancellationToken;
        var form = (await _world.FormAsync("draft-{n}", ct, "Custom", 3)).With(l => l with { UserData = Secret, Size = new VmSize(2, ByteSize.FromMiB(512), ByteSize.FromGiB(2)) }).And(await _world.FormAsync(_world.NewName(), ct)) with { Note = "For the new shop" };
        var draft = (await SaveAsync(form, SavedKind.Draft, "Shop", ct)).Value;

        var read = (await GetAsync(draft, ct)).Value;
        Assert.Equivalent(form, read.Form, strict: true);
        Assert.Equal(("Shop", 4L, _world.Owner.Name), (read.Row.Name, read.Row.Vms, read.Row.SavedBy));
        // Whoever reads the database finds no secret there.
        Assert.False(await _world.Database.ReadAsync<bool>("SELECT bool_or(to_jsonb(s)::text LIKE '%the-password%') FROM saved_orders s", ct));

        var placed = await _world.Main.Get<PlaceOrder.Handler>().HandleAsync(new(_world.Tenant, read.Form, "from-draft", draft), _world.Owner, ct);
        Assert.Null(placed.Refusal);
        Assert.Equal("not_found", (await GetAsync(draft, ct)).Refusal?.Code);
        Assert.DoesNotContain(await ListAsync(ct), s => s.Id == draft);
    }

    [Fact]
    public async Task A_draft_may_be_unfinished_and_still_keeps_no_private_key()
    {
        var ct = TestContext.Current.CancellationToken;
        var unfinished = (await _world.FormAsync("", ct)).With(l => l with { Count = 0, SshKeys = ["ssh-ed25519 AAAA half a key"] });

        Assert.Null((await SaveAsync(unfinished, SavedKind.Draft, "Unfinished", ct)).Refusal);
        Assert.Equal("lines[0].count", (await SaveAsync(unfinished, SavedKind.Blueprint, "Unfinished", ct)).Refusal?.Path);
        var leaked = unfinished.With(l => l with { SshKeys = ["-----BEGIN OPENSSH PRIVATE KEY-----"] });
        Assert.Equal("ssh.private_key", (await SaveAsync(leaked, SavedKind.Draft, "Leaked", ct)).Refusal?.Code);
        Assert.DoesNotContain(await ListAsync(ct), s => s.Name == "Leaked");
    }

    [Fact]
    public async Task A_blueprint_has_nobodys_keys_takes_its_own_place_and_is_ordered_again_and_again()
    {
        var ct = TestContext.Current.CancellationToken;
        var blueprint = (await SaveAsync(await _world.FormAsync("pair-{n}", ct, count: 2), SavedKind.Blueprint, "Pair", ct)).Value;
        Assert.Equal("taken", (await SaveAsync(await _world.FormAsync("pair-{n}", ct, count: 2), SavedKind.Blueprint, "Pair", ct)).Refusal?.Code);
        Assert.Null((await SaveAsync(await _world.FormAsync("trio-{n}", ct, count: 3), SavedKind.Blueprint, "Trio", ct, blueprint)).Refusal);

        var read = (await GetAsync(blueprint, ct)).Value;
        Assert.Equal(("Trio", "trio-{n}", 3), (read.Row.Name, read.Form.Lines[0].Name, read.Form.Lines[0].Count));
        Assert.Empty(read.Form.Lines[0].SshKeys);
        foreach (var key in new[] { "first", "second" })
        {
            Assert.Null((await _world.Main.Get<PlaceOrder.Handler>().HandleAsync(new(_world.Tenant, read.Form, $"trio-{key}", blueprint), _world.Owner, ct)).Refusal);
        }

        Assert.Contains(await ListAsync(ct), s => s.Id == blueprint);
    }

    [Fact]
    public async Task What_a_tenant_keeps_is_its_members_who_may_order_and_nobody_elses()
    {
        var ct = TestContext.Current.CancellationToken;
        var (_, stranger) = await _world.AddTenantAsync("saved-stranger", ct);
        var viewer = await _world.AddPersonAsync("saved-viewer", [], [(_world.Tenant, TenantRole.Viewer)], ct);
        var draft = (await SaveAsync(await _world.FormAsync("mine", ct), SavedKind.Draft, "Mine", ct)).Value;

        foreach (var (who, why) in new[] { (stranger, "not_found"), (viewer, "not_allowed") })
        {
            Assert.Equal(why, (await _world.Main.Get<GetSavedOrder.Handler>().HandleAsync(new(_world.Tenant, draft), who, ct)).Refusal?.Code);
            Assert.Equal(why, (await _world.Main.Get<ListSavedOrders.Handler>().HandleAsync(new(_world.Tenant), who, ct)).Refusal?.Code);
            Assert.Equal(why, (await _world.Main.Get<RemoveSavedOrder.Handler>().HandleAsync(new(_world.Tenant, draft), who, ct)).Refusal?.Code);
            Assert.Equal(why, (await _world.Main.Get<SaveOrder.Handler>().HandleAsync(new(_world.Tenant, draft, SavedKind.Draft, "Theirs", "", await _world.FormAsync("theirs", ct)), who, ct)).Refusal?.Code);
        }

        // Under the address of another tenant's it is not there either.
        Assert.Equal("not_found", (await _world.Main.Get<GetSavedOrder.Handler>().HandleAsync(new(stranger.Memberships.Keys.Single(), draft), stranger, ct)).Refusal?.Code);
        Assert.Equal("Mine", (await GetAsync(draft, ct)).Value.Row.Name);
    }

    [Fact]
    public async Task A_blueprint_is_offered_to_all_by_those_who_keep_the_templates_and_without_user_data()
    {
        var ct = TestContext.Current.CancellationToken;
        var keeper = await _world.AddPersonAsync("saved-keeper", [PlatformRole.Operator], [(_world.Tenant, TenantRole.Member)], ct);
        var (other, guest) = await _world.AddTenantAsync("saved-guest", ct);
        var form = await _world.FormAsync("offered-{n}", ct, count: 2);
        var blueprint = (await SaveAsync(form, SavedKind.Blueprint, "Offered", ct)).Value;
        var secret = (await SaveAsync(form.With(l => l with { UserData = Secret }), SavedKind.Blueprint, "Secret", ct)).Value;
        var offering = _world.Main.Get<OfferBlueprint.Handler>();

        Assert.Equal("not_allowed", (await offering.HandleAsync(new(_world.Tenant, blueprint), _world.Owner, ct)).Refusal?.Code);
        Assert.Equal("ordering.has_user_data", (await offering.HandleAsync(new(_world.Tenant, secret), keeper, ct)).Refusal?.Code);
        var offered = (await offering.HandleAsync(new(_world.Tenant, blueprint), keeper, ct)).Value;
        Assert.Equal("ordering.offered_already", (await offering.HandleAsync(new(_world.Tenant, blueprint), keeper, ct)).Refusal?.Code);

        var seen = Assert.Single((await _world.Main.Get<ListSavedOrders.Handler>().HandleAsync(new(other), guest, ct)).Value, s => s.Name != "Ten servers");
        Assert.Equal((offered, true, "Offered"), (seen.Id, seen.OfProvider, seen.Name));
        Assert.Equal("offered-{n}", (await _world.Main.Get<GetSavedOrder.Handler>().HandleAsync(new(other, offered), guest, ct)).Value.Form.Lines[0].Name);
        Assert.Equal("not_allowed", (await _world.Main.Get<RemoveSavedOrder.Handler>().HandleAsync(new(other, offered), guest, ct)).Refusal?.Code);
        Assert.Equal("not_found", (await _world.Main.Get<SaveOrder.Handler>().HandleAsync(new(other, offered, SavedKind.Blueprint, "Theirs", "", form), guest, ct)).Refusal?.Code);
        // The provider's goes, and the tenant's own stays.
        Assert.Null((await _world.Main.Get<RemoveSavedOrder.Handler>().HandleAsync(new(_world.Tenant, offered), keeper, ct)).Refusal);
        Assert.Contains(await ListAsync(ct), s => s.Id == blueprint);
    }

    private Task<Result<SavedOrderId>> SaveAsync(OrderForm form, SavedKind kind, string name, CancellationToken ct, SavedOrderId? replaced = null) =>
        _world.Main.Get<SaveOrder.Handler>().HandleAsync(new(_world.Tenant, replaced, kind, name, "", form), _world.Owner, ct);

    private Task<Result<GetSavedOrder.Details>> GetAsync(SavedOrderId saved, CancellationToken ct) => _world.Main.Get<GetSavedOrder.Handler>().HandleAsync(new(_world.Tenant, saved), _world.Owner, ct);

    private async Task<IReadOnlyList<SavedOrderRow>> ListAsync(CancellationToken ct) => (await _world.Main.Get<ListSavedOrders.Handler>().HandleAsync(new(_world.Tenant), _world.Owner, ct)).Value;
}
