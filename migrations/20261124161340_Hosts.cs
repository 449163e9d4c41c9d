using System;
using System.Net;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Migrations
{
    /// <inheritdoc />
    public partial class Hosts : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "journal",
                table: "operation_steps",
                type: "character varying(16000)",
                maxLength: 16000,
                nullable: false,
                defaultValue: "");

            migrationBuilder.AddColumn<IPAddress>(
                name: "first_ip",
                table: "networks",
                type: "inet",
                nullable: true);

            migrationBuilder.AddColumn<IPAddress>(
                name: "last_ip",
                table: "networks",
                type: "inet",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "shared",
                table: "networks",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<uint>(
                name: "xmin",
                table: "networks",
                type: "xid",
                rowVersion: true,
                nullable: false,
                defaultValue: 0u);

            migrationBuilder.AddColumn<string>(
                name: "address",
                table: "hosts",
                type: "character varying(253)",
                maxLength: 253,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "bridge",
                table: "hosts",
                type: "character varying(15)",
                maxLength: 15,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "foreign_key",
                table: "hosts",
                type: "character varying(100)",
                maxLength: 100,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "host_key",
                table: "hosts",
                type: "character varying(4096)",
                maxLength: 4096,
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "port",
                table: "hosts",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "reserved_cpus",
                table: "hosts",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<long>(
                name: "reserved_disk",
                table: "hosts",
                type: "bigint",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<string>(
                name: "thin_pool",
                table: "hosts",
                type: "character varying(100)",
                maxLength: 100,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "volume_group",
                table: "hosts",
                type: "character varying(127)",
                maxLength: 127,
                nullable: true);

            migrationBuilder.CreateTable(
                name: "portal_keys",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false),
                    public_line = table.Column<string>(type: "character varying(4096)", maxLength: 4096, nullable: false),
                    protected_pem = table.Column<string>(type: "character varying(4000)", maxLength: 4000, nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "clock_timestamp()")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_portal_keys", x => x.id);
                    table.CheckConstraint("ck_portal_keys_one", "id = 1");
                });

            // Networks that are there got their addresses as rows alone; their range is from the first to the last of them.
            migrationBuilder.Sql("UPDATE networks n SET first_ip = coalesce((SELECT min(ip) FROM addresses WHERE network_id = n.id), n.gateway), last_ip = coalesce((SELECT max(ip) FROM addresses WHERE network_id = n.id), n.gateway) WHERE first_ip IS NULL");
            migrationBuilder.Sql("ALTER TABLE networks ALTER COLUMN first_ip SET NOT NULL, ALTER COLUMN last_ip SET NOT NULL");
            // Guests that are on a wire with others have addresses that nobody else's guests have. EF has no word for it.
            migrationBuilder.Sql("ALTER TABLE networks DROP CONSTRAINT IF EXISTS ex_networks_shared");
            migrationBuilder.Sql("ALTER TABLE networks ADD CONSTRAINT ex_networks_shared EXCLUDE USING gist (int8range(first_ip - '0.0.0.0'::inet, last_ip - '0.0.0.0'::inet, '[]') WITH &&) WHERE (shared)");

            // The key of the portal is nobody's but the system's.
            migrationBuilder.Sql("GRANT SELECT, INSERT, UPDATE, DELETE ON portal_keys TO portal_system");

            migrationBuilder.AddCheckConstraint(
                name: "ck_networks_range",
                table: "networks",
                sql: "first_ip <= last_ip");

            migrationBuilder.CreateIndex(
                name: "ix_hosts_address_port",
                table: "hosts",
                columns: new[] { "address", "port" },
                unique: true,
                filter: "address IS NOT NULL AND mode <> 'WrittenOff'");

            migrationBuilder.AddCheckConstraint(
                name: "ck_hosts_access",
                table: "hosts",
                sql: "(kind = 'Xen') = (num_nulls(address, port, host_key, volume_group, thin_pool, bridge) = 0) AND num_nulls(address, port, host_key, volume_group, thin_pool, bridge) IN (0, 6)");

            migrationBuilder.AddCheckConstraint(
                name: "ck_hosts_reserve",
                table: "hosts",
                sql: "reserved_memory >= 0 AND reserved_disk >= 0 AND reserved_cpus >= 0 AND vcpus_per_cpu BETWEEN 1 AND 64");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("ALTER TABLE networks DROP CONSTRAINT ex_networks_shared");
            migrationBuilder.DropTable(
                name: "portal_keys");

            migrationBuilder.DropCheckConstraint(
                name: "ck_networks_range",
                table: "networks");

            migrationBuilder.DropIndex(
                name: "ix_hosts_address_port",
                table: "hosts");

            migrationBuilder.DropCheckConstraint(
                name: "ck_hosts_access",
                table: "hosts");

            migrationBuilder.DropCheckConstraint(
                name: "ck_hosts_reserve",
                table: "hosts");

            migrationBuilder.DropColumn(
                name: "journal",
                table: "operation_steps");

            migrationBuilder.DropColumn(
                name: "first_ip",
                table: "networks");

            migrationBuilder.DropColumn(
                name: "last_ip",
                table: "networks");

            migrationBuilder.DropColumn(
                name: "shared",
                table: "networks");

            migrationBuilder.DropColumn(
                name: "xmin",
                table: "networks");

            migrationBuilder.DropColumn(
                name: "address",
                table: "hosts");

            migrationBuilder.DropColumn(
                name: "bridge",
                table: "hosts");

            migrationBuilder.DropColumn(
                name: "foreign_key",
                table: "hosts");

            migrationBuilder.DropColumn(
                name: "host_key",
                table: "hosts");

            migrationBuilder.DropColumn(
                name: "port",
                table: "hosts");

            migrationBuilder.DropColumn(
                name: "reserved_cpus",
                table: "hosts");

            migrationBuilder.DropColumn(
                name: "reserved_disk",
                table: "hosts");

            migrationBuilder.DropColumn(
                name: "thin_pool",
                table: "hosts");

            migrationBuilder.DropColumn(
                name: "volume_group",
                table: "hosts");
        }
    }
}
