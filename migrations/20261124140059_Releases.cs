using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Migrations
{
    /// <inheritdoc />
    public partial class Releases : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "released_at",
                table: "template_versions",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "stamp",
                table: "console_tickets",
                type: "character varying(100)",
                maxLength: 100,
                nullable: true);

            // What is ready on some host is what orders got so far; anything else waits for its first build.
            migrationBuilder.Sql("UPDATE template_versions SET released_at = created_at WHERE EXISTS (SELECT FROM pool_images i WHERE i.template_version_id = template_versions.id AND i.state = 'Ready');");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "released_at",
                table: "template_versions");

            migrationBuilder.DropColumn(
                name: "stamp",
                table: "console_tickets");
        }
    }
}
