using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Migrations
{
    /// <inheritdoc />
    public partial class HostLimits : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_hosts_reserve",
                table: "hosts");

            migrationBuilder.AddColumn<int>(
                name: "max_operations",
                table: "hosts",
                type: "integer",
                nullable: false,
                defaultValue: 4);

            migrationBuilder.AddCheckConstraint(
                name: "ck_hosts_reserve",
                table: "hosts",
                sql: "reserved_memory >= 0 AND reserved_disk >= 0 AND reserved_cpus >= 0 AND vcpus_per_cpu BETWEEN 1 AND 64 AND max_operations BETWEEN 1 AND 100");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_hosts_reserve",
                table: "hosts");

            migrationBuilder.DropColumn(
                name: "max_operations",
                table: "hosts");

            migrationBuilder.AddCheckConstraint(
                name: "ck_hosts_reserve",
                table: "hosts",
                sql: "reserved_memory >= 0 AND reserved_disk >= 0 AND reserved_cpus >= 0 AND vcpus_per_cpu BETWEEN 1 AND 64");
        }
    }
}
