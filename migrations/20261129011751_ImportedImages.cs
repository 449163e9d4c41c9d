using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Migrations
{
    /// <inheritdoc />
    public partial class ImportedImages : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // All that there were so far start with the kernel beside their disk.
            migrationBuilder.AddColumn<string>(
                name: "boot",
                table: "template_versions",
                type: "character varying(30)",
                maxLength: 30,
                nullable: false,
                defaultValue: "Kernel");

            migrationBuilder.AddColumn<string>(
                name: "import",
                table: "template_builds",
                type: "character varying(8000)",
                maxLength: 8000,
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "boot",
                table: "template_versions");

            migrationBuilder.DropColumn(
                name: "import",
                table: "template_builds");
        }
    }
}
