using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Migrations
{
    /// <inheritdoc />
    public partial class BootStarts : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<int>(
                name: "boot_order",
                table: "vms",
                type: "integer",
                nullable: true);

            // Those that there are come back with their host, as new ones do.
            migrationBuilder.Sql("UPDATE vms SET boot_order = 100 WHERE deleted_at IS NULL");

            migrationBuilder.AddColumn<bool>(
                name: "start_due",
                table: "vms",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<string>(
                name: "boot_id",
                table: "hosts",
                type: "character varying(36)",
                maxLength: 36,
                nullable: false,
                defaultValue: "");

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "boot_seen_at",
                table: "hosts",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddCheckConstraint(
                name: "ck_vms_boot_order",
                table: "vms",
                sql: "boot_order BETWEEN 0 AND 999");

            migrationBuilder.AddCheckConstraint(
                name: "ck_vms_start_due",
                table: "vms",
                sql: "NOT start_due OR (wanted = 'Running' AND stage <> 'Deleted')");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_vms_boot_order",
                table: "vms");

            migrationBuilder.DropCheckConstraint(
                name: "ck_vms_start_due",
                table: "vms");

            migrationBuilder.DropColumn(
                name: "boot_order",
                table: "vms");

            migrationBuilder.DropColumn(
                name: "start_due",
                table: "vms");

            migrationBuilder.DropColumn(
                name: "boot_seen_at",
                table: "hosts");

            migrationBuilder.DropColumn(
                name: "boot_id",
                table: "hosts");
        }
    }
}
