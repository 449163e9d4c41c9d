using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Migrations
{
    /// <inheritdoc />
    public partial class GuestKinds : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "guests",
                table: "hosts",
                type: "character varying(30)",
                maxLength: 30,
                nullable: false,
                defaultValue: "None");

            migrationBuilder.AddColumn<string>(
                name: "kernel_guests",
                table: "hosts",
                type: "character varying(30)",
                maxLength: 30,
                nullable: false,
                defaultValue: "Pv");

            // Until the next look at them, which is seconds away: what was offered on these hosts so far. A Xen host says itself what it can.
            migrationBuilder.Sql("UPDATE hosts SET guests = 'Hvm' WHERE kind <> 'Xen'");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "guests",
                table: "hosts");

            migrationBuilder.DropColumn(
                name: "kernel_guests",
                table: "hosts");
        }
    }
}
