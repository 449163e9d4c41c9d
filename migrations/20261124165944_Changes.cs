using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Migrations
{
    /// <inheritdoc />
    public partial class Changes : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<bool>(
                name: "saved",
                table: "vms",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<string>(
                name: "change",
                table: "operations",
                type: "character varying(4000)",
                maxLength: 4000,
                nullable: false,
                defaultValue: "");

            migrationBuilder.AddCheckConstraint(
                name: "ck_vms_saved",
                table: "vms",
                sql: "NOT saved OR (seen IN ('Off', 'Absent') AND stage <> 'Deleted')");

            migrationBuilder.AddCheckConstraint(
                name: "ck_operations_change",
                table: "operations",
                sql: "(kind = 'Change') = (change <> '')");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_vms_saved",
                table: "vms");

            migrationBuilder.DropCheckConstraint(
                name: "ck_operations_change",
                table: "operations");

            migrationBuilder.DropColumn(
                name: "saved",
                table: "vms");

            migrationBuilder.DropColumn(
                name: "change",
                table: "operations");
        }
    }
}
