using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Migrations
{
    /// <inheritdoc />
    public partial class HostStorage : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_hosts_access",
                table: "hosts");

            migrationBuilder.AlterColumn<string>(
                name: "name",
                table: "pools",
                type: "character varying(127)",
                maxLength: 127,
                nullable: false,
                oldClrType: typeof(string),
                oldType: "character varying(100)",
                oldMaxLength: 100);

            migrationBuilder.AddColumn<string>(
                name: "swap_group",
                table: "hosts",
                type: "character varying(127)",
                maxLength: 127,
                nullable: true);

            migrationBuilder.AddCheckConstraint(
                name: "ck_hosts_access",
                table: "hosts",
                sql: "(kind = 'Xen') = (num_nulls(address, port, host_key, volume_group, bridge) = 0) AND num_nulls(address, port, host_key, volume_group, bridge) IN (0, 5) AND (thin_pool IS NULL OR kind = 'Xen')");

            migrationBuilder.AddCheckConstraint(
                name: "ck_hosts_swap",
                table: "hosts",
                sql: "swap_group IS NULL OR (kind = 'Xen' AND swap_group <> volume_group)");
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
                name: "swap_group",
                table: "hosts");

            migrationBuilder.AlterColumn<string>(
                name: "name",
                table: "pools",
                type: "character varying(100)",
                maxLength: 100,
                nullable: false,
                oldClrType: typeof(string),
                oldType: "character varying(127)",
                oldMaxLength: 127);

            migrationBuilder.AddCheckConstraint(
                name: "ck_hosts_access",
                table: "hosts",
                sql: "(kind = 'Xen') = (num_nulls(address, port, host_key, volume_group, thin_pool, bridge) = 0) AND num_nulls(address, port, host_key, volume_group, thin_pool, bridge) IN (0, 6)");
        }
    }
}
