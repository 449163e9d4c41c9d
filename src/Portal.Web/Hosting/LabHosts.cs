using System.Globalization;
using Portal.App.Setup;

namespace Portal.Web.Hosting;

/// <summary>For `./portal up --lab`: makes the lab a host, whether a portal runs on the database at this moment or not.</summary>
internal static class LabHosts
{
    /// <summary>Prints the script that the lab's root has to run.</summary>
    /// <param name="hostKeyFile">The public key of the lab's sshd.</param>
    /// <returns>The program's exit code.</returns>
    public static async Task<int> PrintAsync(IServiceProvider services, string address, string port, string hostKeyFile, CancellationToken ct)
    {
        await Database.MigrateAsync(services, ct);
        await using var scope = services.CreateAsyncScope();
        try
        {
            Console.Write(await scope.ServiceProvider.GetRequiredService<LabHost>().EnsureAsync(address, int.Parse(port, CultureInfo.InvariantCulture), await File.ReadAllTextAsync(hostKeyFile, ct), ct));
            return 0;
        }
        catch (SetupException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
    }
}
