using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Migrations
{
    /// <inheritdoc />
    public partial class LinesAndSizes : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_plan_prices_not_negative",
                table: "plan_prices");

            migrationBuilder.DropIndex(
                name: "ix_order_lines_order_id",
                table: "order_lines");

            migrationBuilder.AddColumn<long>(
                name: "max_disk",
                table: "plans",
                type: "bigint",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<long>(
                name: "max_memory",
                table: "plans",
                type: "bigint",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<int>(
                name: "max_vcpus",
                table: "plans",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<decimal>(
                name: "allocated_per_disk_gib",
                table: "plan_prices",
                type: "numeric(20,10)",
                precision: 20,
                scale: 10,
                nullable: false,
                defaultValue: 0m);

            migrationBuilder.AddColumn<decimal>(
                name: "running_per_memory_gib",
                table: "plan_prices",
                type: "numeric(20,10)",
                precision: 20,
                scale: 10,
                nullable: false,
                defaultValue: 0m);

            migrationBuilder.AddColumn<decimal>(
                name: "running_per_vcpu",
                table: "plan_prices",
                type: "numeric(20,10)",
                precision: 20,
                scale: 10,
                nullable: false,
                defaultValue: 0m);

            migrationBuilder.AddColumn<int>(
                name: "ordinal",
                table: "order_lines",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            // What is there has one size.
            migrationBuilder.Sql("UPDATE plans SET max_vcpus = vcpus, max_memory = memory, max_disk = disk");

            migrationBuilder.AddCheckConstraint(
                name: "ck_plans_largest",
                table: "plans",
                sql: "max_vcpus BETWEEN vcpus AND 256 AND max_memory >= memory AND max_disk >= disk");

            migrationBuilder.AddCheckConstraint(
                name: "ck_plan_prices_not_negative",
                table: "plan_prices",
                sql: "least(running_per_hour, allocated_per_hour, running_per_vcpu, running_per_memory_gib, allocated_per_disk_gib) >= 0");

            migrationBuilder.CreateIndex(
                name: "ix_order_lines_order_id_ordinal",
                table: "order_lines",
                columns: new[] { "order_id", "ordinal" },
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_plans_largest",
                table: "plans");

            migrationBuilder.DropCheckConstraint(
                name: "ck_plan_prices_not_negative",
                table: "plan_prices");

            migrationBuilder.DropIndex(
                name: "ix_order_lines_order_id_ordinal",
                table: "order_lines");

            migrationBuilder.DropColumn(
                name: "max_disk",
                table: "plans");

            migrationBuilder.DropColumn(
                name: "max_memory",
                table: "plans");

            migrationBuilder.DropColumn(
                name: "max_vcpus",
                table: "plans");

            migrationBuilder.DropColumn(
                name: "allocated_per_disk_gib",
                table: "plan_prices");

            migrationBuilder.DropColumn(
                name: "running_per_memory_gib",
                table: "plan_prices");

            migrationBuilder.DropColumn(
                name: "running_per_vcpu",
                table: "plan_prices");

            migrationBuilder.DropColumn(
                name: "ordinal",
                table: "order_lines");

            migrationBuilder.AddCheckConstraint(
                name: "ck_plan_prices_not_negative",
                table: "plan_prices",
                sql: "running_per_hour >= 0 AND allocated_per_hour >= 0");

            migrationBuilder.CreateIndex(
                name: "ix_order_lines_order_id",
                table: "order_lines",
                column: "order_id");
        }
    }
}
