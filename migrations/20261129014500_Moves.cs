using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Migrations
{
    /// <inheritdoc />
    public partial class Moves : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "vm_moves",
                columns: table => new
                {
                    operation_id = table.Column<Guid>(type: "uuid", nullable: false),
                    tenant_id = table.Column<Guid>(type: "uuid", nullable: false),
                    vm_id = table.Column<Guid>(type: "uuid", nullable: false),
                    from_host_id = table.Column<Guid>(type: "uuid", nullable: false),
                    from_pool_id = table.Column<Guid>(type: "uuid", nullable: false),
                    from_generation = table.Column<int>(type: "integer", nullable: false),
                    to_host_id = table.Column<Guid>(type: "uuid", nullable: false),
                    to_pool_id = table.Column<Guid>(type: "uuid", nullable: false),
                    to_generation = table.Column<int>(type: "integer", nullable: false),
                    runs = table.Column<bool>(type: "boolean", nullable: false),
                    may_force_off = table.Column<bool>(type: "boolean", nullable: false),
                    copied = table.Column<long>(type: "bigint", nullable: false),
                    total = table.Column<long>(type: "bigint", nullable: false),
                    left_on_id = table.Column<Guid>(type: "uuid", nullable: true),
                    xmin = table.Column<uint>(type: "xid", rowVersion: true, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_vm_moves", x => x.operation_id);
                    table.CheckConstraint("ck_vm_moves_copied", "copied <= total");
                    table.CheckConstraint("ck_vm_moves_hosts", "from_host_id <> to_host_id AND from_generation < to_generation");
                    table.CheckConstraint("ck_vm_moves_left", "left_on_id IS NULL OR left_on_id IN (from_host_id, to_host_id)");
                    table.ForeignKey(
                        name: "fk_vm_moves_hosts_from_host_id",
                        column: x => x.from_host_id,
                        principalTable: "hosts",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                    table.ForeignKey(
                        name: "fk_vm_moves_hosts_left_on_id",
                        column: x => x.left_on_id,
                        principalTable: "hosts",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                    table.ForeignKey(
                        name: "fk_vm_moves_hosts_to_host_id",
                        column: x => x.to_host_id,
                        principalTable: "hosts",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                    table.ForeignKey(
                        name: "fk_vm_moves_operations_operation_id",
                        column: x => x.operation_id,
                        principalTable: "operations",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                    table.ForeignKey(
                        name: "fk_vm_moves_pools_from_pool_id",
                        column: x => x.from_pool_id,
                        principalTable: "pools",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                    table.ForeignKey(
                        name: "fk_vm_moves_pools_to_pool_id",
                        column: x => x.to_pool_id,
                        principalTable: "pools",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                    table.ForeignKey(
                        name: "fk_vm_moves_vms_vm_id",
                        column: x => x.vm_id,
                        principalTable: "vms",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateIndex(
                name: "ix_vm_moves_from_host_id",
                table: "vm_moves",
                column: "from_host_id");

            migrationBuilder.CreateIndex(
                name: "ix_vm_moves_from_pool_id",
                table: "vm_moves",
                column: "from_pool_id");

            migrationBuilder.CreateIndex(
                name: "ix_vm_moves_left_on_id",
                table: "vm_moves",
                column: "left_on_id",
                filter: "left_on_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_vm_moves_to_host_id",
                table: "vm_moves",
                column: "to_host_id");

            migrationBuilder.CreateIndex(
                name: "ix_vm_moves_to_pool_id",
                table: "vm_moves",
                column: "to_pool_id");

            migrationBuilder.CreateIndex(
                name: "ix_vm_moves_vm_id_to_generation",
                table: "vm_moves",
                columns: new[] { "vm_id", "to_generation" },
                unique: true);

            // Its owner sees how far it is; whatever is written of it is the provider's to write.
            migrationBuilder.Sql(
                """
                ALTER TABLE vm_moves ENABLE ROW LEVEL SECURITY;
                ALTER TABLE vm_moves FORCE ROW LEVEL SECURITY;
                GRANT SELECT ON vm_moves TO portal_tenant;
                GRANT SELECT, INSERT, UPDATE, DELETE ON vm_moves TO portal_system;
                DROP POLICY IF EXISTS tenant ON vm_moves;
                CREATE POLICY tenant ON vm_moves TO portal_tenant
                    USING (tenant_id = nullif(current_setting('portal.tenant', true), '')::uuid)
                    WITH CHECK (tenant_id = nullif(current_setting('portal.tenant', true), '')::uuid);
                DROP POLICY IF EXISTS system ON vm_moves;
                CREATE POLICY system ON vm_moves TO portal_system USING (true) WITH CHECK (true);
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "vm_moves");
        }
    }
}
