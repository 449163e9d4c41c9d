using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Migrations
{
    /// <inheritdoc />
    public partial class Prices : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_plan_prices_plan_id_currency_valid_from",
                table: "plan_prices");

            migrationBuilder.DropCheckConstraint(
                name: "ck_plan_prices_not_negative",
                table: "plan_prices");

            migrationBuilder.AddColumn<decimal>(
                name: "setup",
                table: "vms",
                type: "numeric(20,10)",
                precision: 20,
                scale: 10,
                nullable: false,
                defaultValue: 0m);

            migrationBuilder.AddColumn<decimal>(
                name: "setup",
                table: "plan_prices",
                type: "numeric(20,10)",
                precision: 20,
                scale: 10,
                nullable: false,
                defaultValue: 0m);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "withdrawn_at",
                table: "plan_prices",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<decimal>(
                name: "tax_percent",
                table: "orders",
                type: "numeric(20,10)",
                precision: 20,
                scale: 10,
                nullable: true);

            migrationBuilder.AddColumn<decimal>(
                name: "setup",
                table: "order_lines",
                type: "numeric(20,10)",
                precision: 20,
                scale: 10,
                nullable: false,
                defaultValue: 0m);

            migrationBuilder.CreateTable(
                name: "setup_charges",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    tenant_id = table.Column<Guid>(type: "uuid", nullable: false),
                    project_id = table.Column<Guid>(type: "uuid", nullable: false),
                    vm_id = table.Column<Guid>(type: "uuid", nullable: false),
                    vm_name = table.Column<string>(type: "character varying(63)", maxLength: 63, nullable: false),
                    plan_name = table.Column<string>(type: "character varying(60)", maxLength: 60, nullable: false),
                    at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    amount = table.Column<decimal>(type: "numeric(20,10)", precision: 20, scale: 10, nullable: false),
                    currency = table.Column<string>(type: "character varying(3)", maxLength: 3, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_setup_charges", x => x.id);
                    table.CheckConstraint("ck_setup_charges_amount", "amount > 0");
                    table.ForeignKey(
                        name: "fk_setup_charges_vms_vm_id",
                        column: x => x.vm_id,
                        principalTable: "vms",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "tax_rates",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    tenant_id = table.Column<Guid>(type: "uuid", nullable: false),
                    percent = table.Column<decimal>(type: "numeric(20,10)", precision: 20, scale: 10, nullable: false),
                    valid_from = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    withdrawn_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_tax_rates", x => x.id);
                    table.CheckConstraint("ck_tax_rates_percent", "percent BETWEEN 0 AND 100");
                    table.ForeignKey(
                        name: "fk_tax_rates_tenants_tenant_id",
                        column: x => x.tenant_id,
                        principalTable: "tenants",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "tenant_prices",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    tenant_id = table.Column<Guid>(type: "uuid", nullable: false),
                    ends = table.Column<bool>(type: "boolean", nullable: false),
                    plan_id = table.Column<Guid>(type: "uuid", nullable: false),
                    currency = table.Column<string>(type: "character varying(3)", maxLength: 3, nullable: false),
                    running_per_hour = table.Column<decimal>(type: "numeric(20,10)", precision: 20, scale: 10, nullable: false),
                    allocated_per_hour = table.Column<decimal>(type: "numeric(20,10)", precision: 20, scale: 10, nullable: false),
                    running_per_vcpu = table.Column<decimal>(type: "numeric(20,10)", precision: 20, scale: 10, nullable: false),
                    running_per_memory_gib = table.Column<decimal>(type: "numeric(20,10)", precision: 20, scale: 10, nullable: false),
                    allocated_per_disk_gib = table.Column<decimal>(type: "numeric(20,10)", precision: 20, scale: 10, nullable: false),
                    setup = table.Column<decimal>(type: "numeric(20,10)", precision: 20, scale: 10, nullable: false),
                    valid_from = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    withdrawn_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_tenant_prices", x => x.id);
                    table.CheckConstraint("ck_tenant_prices_ends", "NOT ends OR greatest(running_per_hour, allocated_per_hour, running_per_vcpu, running_per_memory_gib, allocated_per_disk_gib, setup) = 0");
                    table.CheckConstraint("ck_tenant_prices_not_negative", "least(running_per_hour, allocated_per_hour, running_per_vcpu, running_per_memory_gib, allocated_per_disk_gib, setup) >= 0");
                    table.ForeignKey(
                        name: "fk_tenant_prices_plans_plan_id",
                        column: x => x.plan_id,
                        principalTable: "plans",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                    table.ForeignKey(
                        name: "fk_tenant_prices_tenants_tenant_id",
                        column: x => x.tenant_id,
                        principalTable: "tenants",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateIndex(
                name: "ix_plan_prices_plan_id_currency_valid_from",
                table: "plan_prices",
                columns: new[] { "plan_id", "currency", "valid_from" },
                unique: true,
                filter: "withdrawn_at IS NULL");

            migrationBuilder.AddCheckConstraint(
                name: "ck_plan_prices_not_negative",
                table: "plan_prices",
                sql: "least(running_per_hour, allocated_per_hour, running_per_vcpu, running_per_memory_gib, allocated_per_disk_gib, setup) >= 0");

            migrationBuilder.CreateIndex(
                name: "ix_setup_charges_tenant_id_at",
                table: "setup_charges",
                columns: new[] { "tenant_id", "at" });

            migrationBuilder.CreateIndex(
                name: "ix_setup_charges_vm_id",
                table: "setup_charges",
                column: "vm_id",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_tax_rates_tenant_id_valid_from",
                table: "tax_rates",
                columns: new[] { "tenant_id", "valid_from" },
                unique: true,
                filter: "withdrawn_at IS NULL");

            migrationBuilder.CreateIndex(
                name: "ix_tenant_prices_plan_id",
                table: "tenant_prices",
                column: "plan_id");

            migrationBuilder.CreateIndex(
                name: "ix_tenant_prices_tenant_id_plan_id_currency_valid_from",
                table: "tenant_prices",
                columns: new[] { "tenant_id", "plan_id", "currency", "valid_from" },
                unique: true,
                filter: "withdrawn_at IS NULL");

            // What a tenant has agreed on, pays once and is taxed at is its own to see, and the provider's to write.
            foreach (var table in new[] { "tenant_prices", "tax_rates", "setup_charges" })
            {
                migrationBuilder.Sql(
                    $"""
                    ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
                    ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
                    GRANT SELECT ON {table} TO portal_tenant;
                    GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO portal_system;
                    DROP POLICY IF EXISTS tenant ON {table};
                    CREATE POLICY tenant ON {table} TO portal_tenant
                        USING (tenant_id = nullif(current_setting('portal.tenant', true), '')::uuid)
                        WITH CHECK (tenant_id = nullif(current_setting('portal.tenant', true), '')::uuid);
                    DROP POLICY IF EXISTS system ON {table};
                    CREATE POLICY system ON {table} TO portal_system USING (true) WITH CHECK (true);
                    """);
            }

            // Rows of these stay as they are; what has not begun may be withdrawn, once.
            migrationBuilder.Sql(
                """
                CREATE OR REPLACE FUNCTION dated_stays() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - 'withdrawn_at' = to_jsonb(NEW) - 'withdrawn_at' AND to_jsonb(OLD) ->> 'withdrawn_at' IS NULL
                        AND to_jsonb(NEW) ->> 'withdrawn_at' IS NOT NULL AND (to_jsonb(OLD) ->> 'valid_from')::timestamptz > clock_timestamp() THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION 'Row % of % stays as it is.', OLD.id, TG_TABLE_NAME USING ERRCODE = 'check_violation';
                END $$;
                """);
            foreach (var table in new[] { "plan_prices", "tenant_prices", "tax_rates", "setup_charges" })
            {
                migrationBuilder.Sql(
                    $"""
                    DROP TRIGGER IF EXISTS dated_stays ON {table};
                    CREATE TRIGGER dated_stays BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION dated_stays();
                    """);
            }
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(
                """
                DROP TRIGGER IF EXISTS dated_stays ON plan_prices;
                DROP TRIGGER IF EXISTS dated_stays ON tenant_prices;
                DROP TRIGGER IF EXISTS dated_stays ON tax_rates;
                DROP TRIGGER IF EXISTS dated_stays ON setup_charges;
                DROP FUNCTION IF EXISTS dated_stays();
                """);

            migrationBuilder.DropTable(
                name: "setup_charges");

            migrationBuilder.DropTable(
                name: "tax_rates");

            migrationBuilder.DropTable(
                name: "tenant_prices");

            migrationBuilder.DropIndex(
                name: "ix_plan_prices_plan_id_currency_valid_from",
                table: "plan_prices");

            migrationBuilder.DropCheckConstraint(
                name: "ck_plan_prices_not_negative",
                table: "plan_prices");

            migrationBuilder.DropColumn(
                name: "setup",
                table: "vms");

            migrationBuilder.DropColumn(
                name: "setup",
                table: "plan_prices");

            migrationBuilder.DropColumn(
                name: "withdrawn_at",
                table: "plan_prices");

            migrationBuilder.DropColumn(
                name: "tax_percent",
                table: "orders");

            migrationBuilder.DropColumn(
                name: "setup",
                table: "order_lines");

            migrationBuilder.CreateIndex(
                name: "ix_plan_prices_plan_id_currency_valid_from",
                table: "plan_prices",
                columns: new[] { "plan_id", "currency", "valid_from" },
                unique: true);

            migrationBuilder.AddCheckConstraint(
                name: "ck_plan_prices_not_negative",
                table: "plan_prices",
                sql: "least(running_per_hour, allocated_per_hour, running_per_vcpu, running_per_memory_gib, allocated_per_disk_gib) >= 0");
        }
    }
}
