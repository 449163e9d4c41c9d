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
        var draft = new OrderDraft { Name = " web-1 ", Pasted = "ssh-ed25519 AAAA a\r\n\n  ssh-ed25519 BBBB b  " };
        draft.Keys.Add(mine);

        var form = draft.ToForm(new Dictionary<SshKeyId, string> { [mine] = "ssh-ed25519 MINE", [other] = "ssh-ed25519 OTHER" });

        Assert.Equal(["ssh-ed25519 MINE", "ssh-ed25519 AAAA a", "ssh-ed25519 BBBB b"], form.SshKeys);
        Assert.Equal("web-1", form.Name);
    }

    [Fact]
    public void The_same_draft_makes_the_same_form_whatever_the_order_of_ticking()
    {
        var (a, b) = (SshKeyId.New(), SshKeyId.New());
        var stored = new Dictionary<SshKeyId, string> { [a] = "ssh-ed25519 A", [b] = "ssh-ed25519 B" };
        var (one, two) = (new OrderDraft(), new OrderDraft());
        one.Keys.UnionWith([a, b]);
        two.Keys.UnionWith([b, a]);

        Assert.Equal(one.ToForm(stored).SshKeys, two.ToForm(stored).SshKeys);
    }

    [Fact]
    public void A_key_that_was_removed_meanwhile_is_left_out()
    {
        var draft = new OrderDraft();
        draft.Keys.Add(SshKeyId.New());

        Assert.Empty(draft.ToForm(new Dictionary<SshKeyId, string>()).SshKeys);
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
}
