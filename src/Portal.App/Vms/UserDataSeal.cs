using Microsoft.AspNetCore.DataProtection;
using Portal.Kernel;

namespace Portal.App.Vms;

/// <summary>Encrypts what owners give along for their VMs, with the portal's data-protection keys: the database, its copies and who reads them see nothing of it.</summary>
public sealed class UserDataSeal(IDataProtectionProvider protection)
{
    /// <summary>What a sealed text has at most.</summary>
    public const int MaxLength = 24_000;

    private readonly IDataProtector _protector = protection.CreateProtector("Portal.Vms.UserData");

    public string? Seal(UserData? data) => data is null ? null : _protector.Protect(data.Text);

    /// <exception cref="System.Security.Cryptography.CryptographicException">It was sealed with keys that this portal does not have.</exception>
    public UserData? Open(string? sealedText) =>
        sealedText is null ? null
        : UserData.TryParse(_protector.Unprotect(sealedText), out var data) ? data : throw new InvalidOperationException("What was sealed is no user data.");
}
