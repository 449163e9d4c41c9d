using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Migrations
{
    /// <inheritdoc />
    public partial class OrderComments : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "question_at",
                table: "orders",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "order_comments",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    order_id = table.Column<Guid>(type: "uuid", nullable: false),
                    tenant_id = table.Column<Guid>(type: "uuid", nullable: false),
                    kind = table.Column<string>(type: "character varying(30)", maxLength: 30, nullable: false),
                    by_id = table.Column<Guid>(type: "uuid", nullable: false),
                    by_name = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    text = table.Column<string>(type: "character varying(1000)", maxLength: 1000, nullable: false),
                    at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_order_comments", x => x.id);
                    table.ForeignKey(
                        name: "fk_order_comments_orders_order_id",
                        column: x => x.order_id,
                        principalTable: "orders",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                    table.ForeignKey(
                        name: "fk_order_comments_tenants_tenant_id",
                        column: x => x.tenant_id,
                        principalTable: "tenants",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateIndex(
                name: "ix_order_comments_order_id_at",
                table: "order_comments",
                columns: new[] { "order_id", "at" });

            migrationBuilder.CreateIndex(
                name: "ix_order_comments_tenant_id",
                table: "order_comments",
                column: "tenant_id");

            // Both sides read what was said on their orders; it is written by the system.
            migrationBuilder.Sql(
                """
                ALTER TABLE order_comments ENABLE ROW LEVEL SECURITY;
                ALTER TABLE order_comments FORCE ROW LEVEL SECURITY;
                GRANT SELECT ON order_comments TO portal_tenant;
                GRANT SELECT, INSERT ON order_comments TO portal_system;
                DROP POLICY IF EXISTS tenant ON order_comments;
                CREATE POLICY tenant ON order_comments TO portal_tenant
                    USING (tenant_id = nullif(current_setting('portal.tenant', true), '')::uuid)
                    WITH CHECK (tenant_id = nullif(current_setting('portal.tenant', true), '')::uuid);
                DROP POLICY IF EXISTS system ON order_comments;
                CREATE POLICY system ON order_comments TO portal_system USING (true) WITH CHECK (true);
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "order_comments");

            migrationBuilder.DropColumn(
                name: "question_at",
                table: "orders");
        }
    }
}
