using Portal.App.Catalogue;
using Portal.App.Ordering;
using Portal.App.Pricing;
using Portal.Kernel;
using Portal.Web.Ordering;

namespace Portal.Web.Tests.Pages;

/// <summary>An order form while it is filled in.</summary>
public sealed class OrderDraftTests
{
    [Fact]
    public void Ticked_keys_and_pasted_lines_come_together_and_blank_lines_go()
    {
        var (mine, other) = (SshKeyId.New(), SshKeyId.New());
        var draft = new OrderDraft([new() { Name = " web-1 " }, new() { Name = "db" }]) { Pasted = "ssh-ed25519 AAAA a\r\n\n  ssh-ed25519 BBBB b  " };
        draft.Keys.Add(mine);

        var form = draft.ToForm(new Dictionary<SshKeyId, string> { [mine] = "ssh-ed25519 MINE", [other] = "ssh-ed25519 OTHER" }, new HashSet<PlanId>());

        Assert.Equal(["ssh-ed25519 MINE", "ssh-ed25519 AAAA a", "ssh-ed25519 BBBB b"], form.Lines[0].SshKeys);
        Assert.Equal(form.Lines[0].SshKeys, form.Lines[1].SshKeys);
        Assert.Equal(["web-1", "db"], form.Lines.Select(l => l.Name));
    }

    [Fact]
    public void The_same_draft_makes_the_same_form_whatever_the_order_of_ticking()
    {
        var (a, b) = (SshKeyId.New(), SshKeyId.New());
        var stored = new Dictionary<SshKeyId, string> { [a] = "ssh-ed25519 A", [b] = "ssh-ed25519 B" };
        var (one, two) = (new OrderDraft(), new OrderDraft());
        one.Keys.UnionWith([a, b]);
        two.Keys.UnionWith([b, a]);

        Assert.Equal(one.ToForm(stored, new HashSet<PlanId>()).Lines[0].SshKeys, two.ToForm(stored, new HashSet<PlanId>()).Lines[0].SshKeys);
    }

    [Fact]
    public void A_key_that_was_removed_meanwhile_is_left_out()
    {
        var draft = new OrderDraft();
        draft.Keys.Add(SshKeyId.New());

        Assert.Empty(draft.ToForm(new Dictionary<SshKeyId, string>(), new HashSet<PlanId>()).Lines.Single().SshKeys);
    }

    [Theory]
    [InlineData("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----", true)]
    [InlineData("-----BEGIN RSA PRIVATE KEY-----", true)]
    [InlineData("PuTTY-User-Key-File-3: ssh-ed25519", true)]
    [InlineData("ssh-ed25519 AAAA private@laptop", false)]
    public void A_private_key_does_not_stay_in_the_field(string pasted, bool dropped)
    {
        var draft = new OrderDraft { Pasted = pasted };

        Assert.Equal(dropped, draft.DropPrivateKey());
        Assert.Equal(dropped ? "" : pasted, draft.Pasted);
    }

    [Fact]
    public void Of_pasted_keys_only_public_ones_may_stand_in_an_address()
    {
        const string Public = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl ada@example";
        var draft = new OrderDraft { Pasted = $"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n {Public} \nhalf a k" };

        Assert.Equal(Public, draft.PublicPasted);
    }

    [Fact]
    public void A_further_line_is_like_the_open_one_and_the_last_is_never_taken_out()
    {
        var draft = new OrderDraft();
        draft.Open.Template = TemplateId.New();
        draft.Open.Name = "web-{n}";

        draft.Add();
        Assert.Equal((draft.Lines[0].Template, ""), (draft.Open.Template, draft.Open.Name));
        Assert.Same(draft.Lines[1], draft.Open);

        draft.Remove(draft.Lines[1]);
        Assert.Same(draft.Lines.Single(), draft.Open);
        draft.Remove(draft.Open);
        Assert.Equal("web-{n}", draft.Lines.Single().Name);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void What_an_address_says_is_read_as_it_was_written(int count)
    {
        LineInAddress[] lines = [.. Enumerable.Range(0, count).Select(i => new LineInAddress("debian", "S & M", i == 1 ? "" : "web-{n}", i + 1, i == 2 ? "2-512-5" : null))];

        var address = OrderAddress.Of("/t/a/orders/new", "k", lines, "", "a note");

        var query = Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(new Uri("http://localhost" + address).Query);
        Assert.Equal(lines, OrderAddress.Read(Words("template"), Words("plan"), Words("name"), Words("count"), Words("size"), Words("until"), 20));
        Assert.Equal("a note", query["note"]);

        string[]? Words(string name) => query.TryGetValue(name, out var words) ? [.. words.Select(w => w ?? "")] : null;
    }

    [Fact]
    public void An_address_that_says_too_much_or_nothing_fills_a_form_all_the_same()
    {
        Assert.Equal([new LineInAddress(null, null, "", 1)], OrderAddress.Read(null, null, null, null, null, ["tomorrow"], 20));
        Assert.Equal(2, OrderAddress.Read(null, null, ["a", "b", "c"], ["x"], null, null, 2).Count);
    }

    [Theory]
    [InlineData("2-512-5", true)]
    [InlineData("2-512", false)]
    [InlineData("-2-512-5", false)]
    [InlineData("two-512-5", false)]
    [InlineData(null, false)]
    public void A_size_in_an_address_is_three_numbers(string? text, bool good) => Assert.Equal(good ? (2, 512, 5) : null, OrderAddress.ReadSize(text));

    [Fact]
    public void A_size_is_sent_only_with_a_plan_that_has_one_to_choose()
    {
        var plan = new PlanRow(PlanId.New(), "Custom", new VmSize(1, ByteSize.FromMiB(256), ByteSize.FromGiB(1)), new VmSize(8, ByteSize.FromGiB(8), ByteSize.FromGiB(100)), true, null);
        var draft = new OrderDraft();
        draft.Open.Take(plan);
        draft.Open.MemoryMiB = 512;

        Assert.Equal(plan.Size with { Memory = ByteSize.FromMiB(512) }, Line([plan.Id]).Size);
        Assert.Null(Line([]).Size);

        LineForm Line(HashSet<PlanId> custom) => draft.ToForm(new Dictionary<SshKeyId, string>(), custom).Lines.Single();
    }
}
