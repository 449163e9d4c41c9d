using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Migrations
{
    /// <inheritdoc />
    public partial class NfsRoots : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "nfs_path",
                table: "template_versions",
                type: "character varying(200)",
                maxLength: 200,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "nfs_server",
                table: "template_versions",
                type: "character varying(15)",
                maxLength: 15,
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "nfs_writable",
                table: "template_versions",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddCheckConstraint(
                name: "ck_template_versions_nfs",
                table: "template_versions",
                sql: "(nfs_server IS NULL) = (nfs_path IS NULL) AND (nfs_server IS NOT NULL OR NOT nfs_writable)");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_template_versions_nfs",
                table: "template_versions");

            migrationBuilder.DropColumn(
                name: "nfs_path",
                table: "template_versions");

            migrationBuilder.DropColumn(
                name: "nfs_server",
                table: "template_versions");

            migrationBuilder.DropColumn(
                name: "nfs_writable",
                table: "template_versions");
        }
    }
}
