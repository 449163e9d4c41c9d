using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Migrations
{
    /// <inheritdoc />
    public partial class StockAndLimits : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // Whoever is there already has none of the new limits.
            migrationBuilder.AddColumn<string>(
                name: "address_limit",
                table: "tenants",
                type: "character varying(20)",
                maxLength: 20,
                nullable: false,
                defaultValue: "unlimited");

            migrationBuilder.AddColumn<bool>(
                name: "running_only",
                table: "tenants",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<decimal>(
                name: "spending_limit",
                table: "tenants",
                type: "numeric(20,10)",
                precision: 20,
                scale: 10,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "spending_rule",
                table: "tenants",
                type: "character varying(30)",
                maxLength: 30,
                nullable: false,
                defaultValue: "Warn");

            migrationBuilder.AddColumn<string>(
                name: "waiting_vm_limit",
                table: "tenants",
                type: "character varying(20)",
                maxLength: 20,
                nullable: false,
                defaultValue: "unlimited");

            migrationBuilder.AddColumn<bool>(
                name: "deprecated",
                table: "templates",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<bool>(
                name: "for_chosen",
                table: "templates",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<string>(
                name: "paused_because",
                table: "templates",
                type: "character varying(200)",
                maxLength: 200,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "paused_because",
                table: "plans",
                type: "character varying(200)",
                maxLength: 200,
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "stock",
                table: "plans",
                type: "integer",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "template_tenants",
                columns: table => new
                {
                    template_id = table.Column<Guid>(type: "uuid", nullable: false),
                    tenant_id = table.Column<Guid>(type: "uuid", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_template_tenants", x => new { x.template_id, x.tenant_id });
                    table.ForeignKey(
                        name: "fk_template_tenants_templates_template_id",
                        column: x => x.template_id,
                        principalTable: "templates",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                    table.ForeignKey(
                        name: "fk_template_tenants_tenants_tenant_id",
                        column: x => x.tenant_id,
                        principalTable: "tenants",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.AddCheckConstraint(
                name: "ck_tenants_spending",
                table: "tenants",
                sql: "spending_limit >= 0");

            migrationBuilder.AddCheckConstraint(
                name: "ck_templates_deprecated",
                table: "templates",
                sql: "NOT (deprecated AND offered)");

            migrationBuilder.AddCheckConstraint(
                name: "ck_templates_paused",
                table: "templates",
                sql: "paused_because <> ''");

            migrationBuilder.AddCheckConstraint(
                name: "ck_plans_paused",
                table: "plans",
                sql: "paused_because <> ''");

            migrationBuilder.AddCheckConstraint(
                name: "ck_plans_stock",
                table: "plans",
                sql: "stock >= 0");

            migrationBuilder.CreateIndex(
                name: "ix_template_tenants_tenant_id",
                table: "template_tenants",
                column: "tenant_id");

            // Whom a template is there for is each one's own to see, and the provider's to write.
            migrationBuilder.Sql(
                """
                ALTER TABLE template_tenants ENABLE ROW LEVEL SECURITY;
                ALTER TABLE template_tenants FORCE ROW LEVEL SECURITY;
                GRANT SELECT ON template_tenants TO portal_tenant;
                GRANT SELECT, INSERT, UPDATE, DELETE ON template_tenants TO portal_system;
                DROP POLICY IF EXISTS tenant ON template_tenants;
                CREATE POLICY tenant ON template_tenants TO portal_tenant
                    USING (tenant_id = nullif(current_setting('portal.tenant', true), '')::uuid)
                    WITH CHECK (tenant_id = nullif(current_setting('portal.tenant', true), '')::uuid);
                DROP POLICY IF EXISTS system ON template_tenants;
                CREATE POLICY system ON template_tenants TO portal_system USING (true) WITH CHECK (true);
                """);

            // How many VMs of a plan there are, waiting orders included, whoever's they are. It counts as the system, whose function it is, and tells a tenant no more than the number.
            migrationBuilder.Sql(
                """
                CREATE OR REPLACE FUNCTION plan_taken(plan uuid) RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
                    SELECT (SELECT count(*) FROM vms v WHERE v.plan_id = plan AND v.deleted_at IS NULL)
                        + (SELECT coalesce(sum(cardinality(l.names)), 0) FROM order_lines l WHERE l.plan_id = plan AND l.state = 'Waiting' AND l.changes_vm_id IS NULL)
                $$;
                REVOKE ALL ON FUNCTION plan_taken(uuid) FROM PUBLIC;
                GRANT EXECUTE ON FUNCTION plan_taken(uuid) TO portal_tenant, portal_system;
                GRANT CREATE ON SCHEMA public TO portal_system;
                ALTER FUNCTION plan_taken(uuid) OWNER TO portal_system;
                REVOKE CREATE ON SCHEMA public FROM portal_system;
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP FUNCTION IF EXISTS plan_taken(uuid);");

            migrationBuilder.DropTable(
                name: "template_tenants");

            migrationBuilder.DropCheckConstraint(
                name: "ck_tenants_spending",
                table: "tenants");

            migrationBuilder.DropCheckConstraint(
                name: "ck_templates_deprecated",
                table: "templates");

            migrationBuilder.DropCheckConstraint(
                name: "ck_templates_paused",
                table: "templates");

            migrationBuilder.DropCheckConstraint(
                name: "ck_plans_paused",
                table: "plans");

            migrationBuilder.DropCheckConstraint(
                name: "ck_plans_stock",
                table: "plans");

            migrationBuilder.DropColumn(
                name: "address_limit",
                table: "tenants");

            migrationBuilder.DropColumn(
                name: "running_only",
                table: "tenants");

            migrationBuilder.DropColumn(
                name: "spending_limit",
                table: "tenants");

            migrationBuilder.DropColumn(
                name: "spending_rule",
                table: "tenants");

            migrationBuilder.DropColumn(
                name: "waiting_vm_limit",
                table: "tenants");

            migrationBuilder.DropColumn(
                name: "deprecated",
                table: "templates");

            migrationBuilder.DropColumn(
                name: "for_chosen",
                table: "templates");

            migrationBuilder.DropColumn(
                name: "paused_because",
                table: "templates");

            migrationBuilder.DropColumn(
                name: "paused_because",
                table: "plans");

            migrationBuilder.DropColumn(
                name: "stock",
                table: "plans");
        }
    }
}
