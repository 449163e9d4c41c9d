using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Migrations
{
    /// <inheritdoc />
    public partial class UserData : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "sealed_user_data",
                table: "vms",
                type: "character varying(24000)",
                maxLength: 24000,
                nullable: true);

            // All that the portal makes itself has its first-boot script.
            migrationBuilder.AddColumn<string>(
                name: "first_boot",
                table: "template_versions",
                type: "character varying(30)",
                maxLength: 30,
                nullable: false,
                defaultValue: "Script");

            // Of what was imported its test says whether it took its name from the seed.
            migrationBuilder.Sql(
                """
                UPDATE template_versions v SET first_boot = CASE WHEN b.log LIKE '%Its name is not the one that its seed says%' THEN 'Nothing' ELSE 'CloudInit' END
                FROM template_builds b WHERE b.template_version_id = v.id AND b.import IS NOT NULL
                """);

            migrationBuilder.AddColumn<string>(
                name: "sealed_user_data",
                table: "order_lines",
                type: "character varying(24000)",
                maxLength: 24000,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "user_data_sha256",
                table: "order_lines",
                type: "character varying(64)",
                maxLength: 64,
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "sealed_user_data",
                table: "vms");

            migrationBuilder.DropColumn(
                name: "first_boot",
                table: "template_versions");

            migrationBuilder.DropColumn(
                name: "sealed_user_data",
                table: "order_lines");

            migrationBuilder.DropColumn(
                name: "user_data_sha256",
                table: "order_lines");
        }
    }
}
