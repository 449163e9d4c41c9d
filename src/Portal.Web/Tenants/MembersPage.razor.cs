using MudBlazor;
using Portal.App.Access;
using Portal.App.Tenants;
using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;
using Portal.Web.Hosting;

namespace Portal.Web.Tenants;

/// <summary>Who is in a tenant and may do what, and who is invited.</summary>
public partial class MembersPage(ListMembers.Handler lists, InviteMember.Handler inviting, WithdrawInvitation.Handler withdrawing, ChangeMember.Handler changing, PublicAddress address, IDialogService dialogs) : TenantPage
{
    private Result<ListMembers.People>? _people;
    private InviteMember.Invited? _invited;
    private Refusal? _refusal;
    private string? _email;
    private string? _emailProblem;
    private TenantRole _role = TenantRole.Member;
    private bool _busy;

    protected override async Task OnParametersSetAsync()
    {
        _people = await ReadHereAsync("people", LoadAsync);
        // A tenant needs an owner before anybody else.
        _role = _people is { Succeeded: true, Value.Members.Count: 0 } ? TenantRole.Owner : TenantRole.Member;
    }

    protected override async Task LookAgainAsync() => _people = await AskHereAsync(LoadAsync);

    private Task<Result<ListMembers.People>> LoadAsync(TenantId tenant, Actor actor, CancellationToken ct) => lists.HandleAsync(new ListMembers.Request(tenant), actor, ct);

    private async Task InviteAsync()
    {
        _busy = true;
        var invited = await AskHereAsync<InviteMember.Invited>((tenant, actor, ct) =>
            inviting.HandleAsync(new InviteMember.Request(tenant, _email ?? "", _role, address.For(new Uri(Navigation.BaseUri))), actor, ct));
        _busy = false;
        _emailProblem = invited.Refusal is { Field: "email" } wrong ? wrong.Message : null;
        _refusal = _emailProblem is null ? invited.Refusal : null;
        if (invited.Succeeded)
        {
            _invited = invited.Value;
            _email = null;
            await LookAgainAsync();
        }
    }

    private Task WithdrawAsync(InvitationRow invitation) =>
        ActAsync((tenant, actor, ct) => withdrawing.HandleAsync(new WithdrawInvitation.Request(tenant, invitation.Id), actor, ct));

    private Task ChangeAsync(MemberRow member, TenantRole role) =>
        ActAsync((tenant, actor, ct) => changing.HandleAsync(new ChangeMember.Request(tenant, member.User, role), actor, ct));

    private async Task RemoveAsync(MemberRow member)
    {
        if (await dialogs.AskAsync($"Remove {member.Name}?", $"{member.Name} no longer sees {Found.Name}, from the next click on. What was done stays in the records under that name.", $"Remove {member.Name}", dangerous: true))
        {
            await ActAsync((tenant, actor, ct) => changing.HandleAsync(new ChangeMember.Request(tenant, member.User, null), actor, ct));
        }
    }

    private async Task ActAsync(Func<TenantId, Actor, CancellationToken, Task<Result<Done>>> act)
    {
        _busy = true;
        StateHasChanged();
        _refusal = (await AskHereAsync(act)).Refusal;
        _busy = false;
        await LookAgainAsync();
    }
}
