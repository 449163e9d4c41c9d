using Portal.App.Access;

namespace Portal.Web.Hosting;

/// <summary>For the administrator who is locked out and has nobody to ask. Whoever may start the program on the database may do anything anyway.</summary>
internal static class PasswordLinks
{
    /// <summary>Prints a link with which the account's owner sets a new password.</summary>
    /// <returns>The program's exit code.</returns>
    public static async Task<int> PrintAsync(IServiceProvider services, string email, CancellationToken ct)
    {
        await using var scope = services.CreateAsyncScope();
        var link = await scope.ServiceProvider.GetRequiredService<Accounts>().MakeLinkAsync(email, scope.ServiceProvider.GetRequiredService<PublicAddress>().Own, ct);
        if (link is null)
        {
            await Console.Error.WriteLineAsync($"There is no account {email} that may be used.");
            return 1;
        }

        Console.WriteLine($"Good for a day, and once:\n{link}");
        return 0;
    }
}
