using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Migrations
{
    /// <inheritdoc />
    public partial class Adoptions : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_vms_mac",
                table: "vms");

            migrationBuilder.AlterColumn<Guid>(
                name: "template_version_id",
                table: "vms",
                type: "uuid",
                nullable: true,
                oldClrType: typeof(Guid),
                oldType: "uuid");

            migrationBuilder.AddColumn<string>(
                name: "adopted",
                table: "vms",
                type: "character varying(8000)",
                maxLength: 8000,
                nullable: false,
                defaultValue: "");

            migrationBuilder.CreateIndex(
                name: "ix_vms_mac",
                table: "vms",
                column: "mac",
                unique: true,
                filter: "deleted_at IS NULL");

            migrationBuilder.AddCheckConstraint(
                name: "ck_vms_adopted",
                table: "vms",
                sql: "(adopted = '') = (template_version_id IS NOT NULL)");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_vms_mac",
                table: "vms");

            migrationBuilder.DropCheckConstraint(
                name: "ck_vms_adopted",
                table: "vms");

            migrationBuilder.DropColumn(
                name: "adopted",
                table: "vms");

            migrationBuilder.AlterColumn<Guid>(
                name: "template_version_id",
                table: "vms",
                type: "uuid",
                nullable: false,
                defaultValue: new Guid("00000000-0000-0000-0000-000000000000"),
                oldClrType: typeof(Guid),
                oldType: "uuid",
                oldNullable: true);

            migrationBuilder.CreateIndex(
                name: "ix_vms_mac",
                table: "vms",
                column: "mac",
                unique: true);
        }
    }
}
