using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Migrations
{
    /// <inheritdoc />
    public partial class SavedOrdersLeasesAndSchedules : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "lease_ends_at",
                table: "vms",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "lease_told",
                table: "vms",
                type: "integer",
                nullable: true);

            migrationBuilder.AlterColumn<Guid>(
                name: "template_version_id",
                table: "order_lines",
                type: "uuid",
                nullable: true,
                oldClrType: typeof(Guid),
                oldType: "uuid");

            migrationBuilder.AddColumn<Guid>(
                name: "changes_vm_id",
                table: "order_lines",
                type: "uuid",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "lease_ends_at",
                table: "order_lines",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "saved_orders",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    tenant_id = table.Column<Guid>(type: "uuid", nullable: false),
                    kind = table.Column<string>(type: "character varying(30)", maxLength: 30, nullable: false),
                    name = table.Column<string>(type: "character varying(60)", maxLength: 60, nullable: false),
                    description = table.Column<string>(type: "character varying(300)", maxLength: 300, nullable: false),
                    form = table.Column<string>(type: "character varying(200000)", maxLength: 200000, nullable: false),
                    sealed_user_data = table.Column<string[]>(type: "character varying(24000)[]", nullable: false),
                    saved_by = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    saved_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    xmin = table.Column<uint>(type: "xid", rowVersion: true, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_saved_orders", x => x.id);
                    table.CheckConstraint("ck_saved_orders_provider", "tenant_id <> '00000000-0000-0000-0000-000000000000' OR kind = 'Blueprint'");
                });

            migrationBuilder.CreateTable(
                name: "vm_schedules",
                columns: table => new
                {
                    vm_id = table.Column<Guid>(type: "uuid", nullable: false),
                    tenant_id = table.Column<Guid>(type: "uuid", nullable: false),
                    days = table.Column<int>(type: "integer", nullable: false),
                    start = table.Column<TimeOnly>(type: "time without time zone", nullable: false),
                    stop = table.Column<TimeOnly>(type: "time without time zone", nullable: false),
                    zone = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false),
                    followed_until = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    xmin = table.Column<uint>(type: "xid", rowVersion: true, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_vm_schedules", x => x.vm_id);
                    table.CheckConstraint("ck_vm_schedules_days", "days BETWEEN 1 AND 127");
                    table.CheckConstraint("ck_vm_schedules_times", "start <> stop");
                    table.ForeignKey(
                        name: "fk_vm_schedules_vms_vm_id",
                        column: x => x.vm_id,
                        principalTable: "vms",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateIndex(
                name: "ix_vms_lease_ends_at",
                table: "vms",
                column: "lease_ends_at",
                filter: "deleted_at IS NULL AND lease_ends_at IS NOT NULL");

            migrationBuilder.AddCheckConstraint(
                name: "ck_vms_lease_told",
                table: "vms",
                sql: "lease_told IS NULL OR lease_ends_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_order_lines_changes_vm_id",
                table: "order_lines",
                column: "changes_vm_id");

            migrationBuilder.AddCheckConstraint(
                name: "ck_order_lines_template",
                table: "order_lines",
                sql: "template_version_id IS NOT NULL OR changes_vm_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_saved_orders_tenant_id_kind_name",
                table: "saved_orders",
                columns: new[] { "tenant_id", "kind", "name" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_vm_schedules_tenant_id",
                table: "vm_schedules",
                column: "tenant_id");

            migrationBuilder.AddForeignKey(
                name: "fk_order_lines_vms_changes_vm_id",
                table: "order_lines",
                column: "changes_vm_id",
                principalTable: "vms",
                principalColumn: "id",
                onDelete: ReferentialAction.Restrict);

            // What a tenant's own handlers write. The provider's blueprints, of the empty tenant, are the system's to read and to write.
            foreach (var table in new[] { "saved_orders", "vm_schedules" })
            {
                migrationBuilder.Sql(
                    $"""
                    ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
                    ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
                    GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO portal_tenant, portal_system;
                    DROP POLICY IF EXISTS tenant ON {table};
                    CREATE POLICY tenant ON {table} TO portal_tenant
                        USING (tenant_id = nullif(current_setting('portal.tenant', true), '')::uuid)
                        WITH CHECK (tenant_id = nullif(current_setting('portal.tenant', true), '')::uuid);
                    DROP POLICY IF EXISTS system ON {table};
                    CREATE POLICY system ON {table} TO portal_system USING (true) WITH CHECK (true);
                    """);
            }
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropForeignKey(
                name: "fk_order_lines_vms_changes_vm_id",
                table: "order_lines");

            migrationBuilder.DropTable(
                name: "saved_orders");

            migrationBuilder.DropTable(
                name: "vm_schedules");

            migrationBuilder.DropIndex(
                name: "ix_vms_lease_ends_at",
                table: "vms");

            migrationBuilder.DropCheckConstraint(
                name: "ck_vms_lease_told",
                table: "vms");

            migrationBuilder.DropIndex(
                name: "ix_order_lines_changes_vm_id",
                table: "order_lines");

            migrationBuilder.DropCheckConstraint(
                name: "ck_order_lines_template",
                table: "order_lines");

            migrationBuilder.DropColumn(
                name: "lease_ends_at",
                table: "vms");

            migrationBuilder.DropColumn(
                name: "lease_told",
                table: "vms");

            migrationBuilder.DropColumn(
                name: "changes_vm_id",
                table: "order_lines");

            migrationBuilder.DropColumn(
                name: "lease_ends_at",
                table: "order_lines");

            migrationBuilder.AlterColumn<Guid>(
                name: "template_version_id",
                table: "order_lines",
                type: "uuid",
                nullable: false,
                defaultValue: new Guid("00000000-0000-0000-0000-000000000000"),
                oldClrType: typeof(Guid),
                oldType: "uuid",
                oldNullable: true);
        }
    }
}
