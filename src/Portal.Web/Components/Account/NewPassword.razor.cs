using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Identity;
using Portal.App.Access;

namespace Portal.Web.Components.Account;

/// <summary>Where a link for a new password leads. Whoever holds the link sets the password, once.</summary>
public partial class NewPassword(Accounts accounts, UserManager<PortalUser> users) : ComponentBase
{
    private IReadOnlyList<string> _problems = [];
    private bool _done;

    [SupplyParameterFromForm(FormName = "new-password")]
    private Input Form { get; set; } = default!;

    [SupplyParameterFromQuery]
    private string? User { get; set; }

    [SupplyParameterFromQuery]
    private string? Token { get; set; }

    [CascadingParameter]
    private HttpContext Http { get; set; } = default!;

    private int MinLength => users.Options.Password.RequiredLength;

    protected override void OnInitialized() => Form ??= new Input();

    private async Task SetAsync()
    {
        var set = await accounts.SetAnewAsync(Guid.TryParse(User, out var user) ? user : default, Token ?? "", Form.New, Http.RequestAborted);
        _done = set.Succeeded;
        _problems = [.. set.Errors.Select(e => e.Code == nameof(IdentityErrorDescriber.InvalidToken)
            ? "This link is not valid (any more): it was used, is older than a day, or is not whole. Ask for a new one."
            : e.Description)];
    }

    private sealed class Input
    {
        [Required(ErrorMessage = "Type a new password.")]
        [StringLength(200, ErrorMessage = "A password has at most 200 characters.")]
        public string New { get; set; } = "";

        [Required(ErrorMessage = "Type the new password again.")]
        [Compare(nameof(New), ErrorMessage = "The two new passwords differ.")]
        public string Again { get; set; } = "";
    }
}
