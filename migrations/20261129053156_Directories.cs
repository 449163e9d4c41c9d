using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Migrations
{
    /// <inheritdoc />
    public partial class Directories : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_hosts_access",
                table: "hosts");

            migrationBuilder.DropCheckConstraint(
                name: "ck_hosts_swap",
                table: "hosts");

            migrationBuilder.AddColumn<string>(
                name: "directory",
                table: "hosts",
                type: "character varying(100)",
                maxLength: 100,
                nullable: true);

            migrationBuilder.AddCheckConstraint(
                name: "ck_hosts_access",
                table: "hosts",
                sql: "(kind = 'Xen') = (num_nulls(address, port, host_key, bridge) = 0) AND num_nulls(address, port, host_key, bridge) IN (0, 4) AND num_nonnulls(volume_group, directory) = (CASE WHEN kind = 'Xen' THEN 1 ELSE 0 END) AND (thin_pool IS NULL OR volume_group IS NOT NULL)");

            migrationBuilder.AddCheckConstraint(
                name: "ck_hosts_swap",
                table: "hosts",
                sql: "swap_group IS NULL OR (kind = 'Xen' AND swap_group IS DISTINCT FROM volume_group)");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_hosts_access",
                table: "hosts");

            migrationBuilder.DropCheckConstraint(
                name: "ck_hosts_swap",
                table: "hosts");

            migrationBuilder.DropColumn(
                name: "directory",
                table: "hosts");

            migrationBuilder.AddCheckConstraint(
                name: "ck_hosts_access",
                table: "hosts",
                sql: "(kind = 'Xen') = (num_nulls(address, port, host_key, volume_group, bridge) = 0) AND num_nulls(address, port, host_key, volume_group, bridge) IN (0, 5) AND (thin_pool IS NULL OR kind = 'Xen')");

            migrationBuilder.AddCheckConstraint(
                name: "ck_hosts_swap",
                table: "hosts",
                sql: "swap_group IS NULL OR (kind = 'Xen' AND swap_group <> volume_group)");
        }
    }
}
