using Microsoft.EntityFrameworkCore.Design;
using Npgsql;
using Portal.App;

namespace Portal.Migrations;

/// <summary>Makes the model for `dotnet ef migrations add`: no server is asked, so no connection string and no secret is needed.</summary>
public sealed class DesignTime : IDesignTimeDbContextFactory<PortalDb>
{
    public PortalDb CreateDbContext(string[] args) =>
        new PortalDbs(new NpgsqlDataSourceBuilder("Host=localhost;Database=portal").Build()).ForMigrations();
}
