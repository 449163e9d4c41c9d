using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;

namespace Portal.App.Tests;

/// <summary>The model as migrations see it, made without asking a server.</summary>
internal static class OfflineModel
{
    public static IModel Value { get; } = Make();

    private static IModel Make()
    {
        using var source = NpgsqlDataSource.Create("Host=nowhere");
        using var db = new PortalDbs(source).ForMigrations();
        return db.GetService<IDesignTimeModel>().Model;
    }
}
