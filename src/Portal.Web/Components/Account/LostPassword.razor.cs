using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.Options;
using Portal.App.Outbox;
using Portal.Web.Hosting;

namespace Portal.Web.Components.Account;

/// <summary>Mails a link for a new password; where no mail is set up, says who makes one. Its answer is the same whether the account exists or not.</summary>
public partial class LostPassword(PasswordMails mails, IOptions<MailOptions> mail) : ComponentBase
{
    private bool _sent;

    [SupplyParameterFromForm(FormName = "lost-password")]
    private Input Form { get; set; } = default!;

    private bool HasMail => mail.Value.IsSet;

    protected override void OnInitialized() => Form ??= new Input();

    private void Send()
    {
        mails.Ask(Form.Email);
        _sent = true;
    }

    private sealed class Input
    {
        [Required(ErrorMessage = "Type your e-mail address.")]
        [StringLength(256, ErrorMessage = "An e-mail address has at most 256 characters.")]
        public string Email { get; set; } = "";
    }
}
