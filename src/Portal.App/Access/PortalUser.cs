using Microsoft.AspNetCore.Identity;
using Portal.Kernel;

namespace Portal.App.Access;

/// <summary>A person with an account. What happened under the account stays when it goes: history holds names as text.</summary>
public sealed class PortalUser : IdentityUser<Guid>
{
    public const int MaxDisplayName = 100;

    public PortalUser() => Id = Guid.CreateVersion7();

    /// <summary>How others see the person.</summary>
    public string DisplayName { get; set; } = "";

    /// <summary>Whether the account may not be used at present.</summary>
    public bool Disabled { get; set; }

    public DateTimeOffset CreatedAt { get; set; }

    public UserId UserId => new(Id);
}
