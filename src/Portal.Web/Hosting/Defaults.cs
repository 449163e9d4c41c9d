using Microsoft.Extensions.Configuration.Memory;

namespace Portal.Web.Hosting;

/// <summary>Settings that hold where nobody says otherwise. They come before every other source, so that a file or a variable wins.</summary>
internal static class Defaults
{
    public static void Add(ConfigurationManager configuration) => ((IConfigurationBuilder)configuration).Sources.Insert(0, new MemoryConfigurationSource
    {
        InitialData =
        [
            // What the portal does is worth a line; what its libraries do only where it goes wrong.
            new("Logging:LogLevel:Default", "Information"),
            new("Logging:LogLevel:Microsoft", "Warning"),
            new("Logging:LogLevel:System", "Warning"),
            new("Logging:LogLevel:Hangfire", "Warning"),
            // Data-protection keys lie in the database, which is the portal's own; an encryptor for them is the operator's choice.
            new("Logging:LogLevel:Microsoft.AspNetCore.DataProtection", "Error"),
            // EF logs the look for its history table as an error on an empty database.
            new("Logging:LogLevel:Microsoft.EntityFrameworkCore.Database.Command", "Critical"),
        ],
    });
}
