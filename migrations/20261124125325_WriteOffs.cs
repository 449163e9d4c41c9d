using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Migrations
{
    /// <inheritdoc />
    public partial class WriteOffs : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_volumes_removed",
                table: "volumes");

            migrationBuilder.DropIndex(
                name: "ix_hosts_name",
                table: "hosts");

            migrationBuilder.AddColumn<long>(
                name: "taken",
                table: "pools",
                type: "bigint",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddCheckConstraint(
                name: "ck_volumes_removed",
                table: "volumes",
                sql: "(state IN ('Removed', 'Lost')) = (removed_at IS NOT NULL)");

            migrationBuilder.CreateIndex(
                name: "ix_hosts_instance",
                table: "hosts",
                column: "instance",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_hosts_name",
                table: "hosts",
                column: "name",
                unique: true,
                filter: "mode <> 'WrittenOff'");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_volumes_removed",
                table: "volumes");

            migrationBuilder.DropIndex(
                name: "ix_hosts_instance",
                table: "hosts");

            migrationBuilder.DropIndex(
                name: "ix_hosts_name",
                table: "hosts");

            migrationBuilder.DropColumn(
                name: "taken",
                table: "pools");

            migrationBuilder.AddCheckConstraint(
                name: "ck_volumes_removed",
                table: "volumes",
                sql: "(state = 'Removed') = (removed_at IS NOT NULL)");

            migrationBuilder.CreateIndex(
                name: "ix_hosts_name",
                table: "hosts",
                column: "name",
                unique: true);
        }
    }
}
