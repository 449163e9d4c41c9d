using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Migrations
{
    /// <inheritdoc />
    public partial class Policies : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "approval_policies",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    tenant_id = table.Column<Guid>(type: "uuid", nullable: false),
                    side = table.Column<string>(type: "character varying(30)", maxLength: 30, nullable: false),
                    version = table.Column<int>(type: "integer", nullable: false),
                    body = table.Column<string>(type: "jsonb", maxLength: 20000, nullable: true),
                    saved_by = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    saved_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    note = table.Column<string>(type: "character varying(500)", maxLength: 500, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_approval_policies", x => x.id);
                    table.CheckConstraint("ck_approval_policies_side", "side = 'Provider' OR tenant_id <> '00000000-0000-0000-0000-000000000000'");
                    table.CheckConstraint("ck_approval_policies_version", "version >= 1");
                });

            // A tenant reads its own and the platform's, which answers for it where it has none; both are the system's to write.
            migrationBuilder.Sql(
                """
                ALTER TABLE approval_policies ENABLE ROW LEVEL SECURITY;
                ALTER TABLE approval_policies FORCE ROW LEVEL SECURITY;
                GRANT SELECT ON approval_policies TO portal_tenant;
                GRANT SELECT, INSERT ON approval_policies TO portal_system;
                DROP POLICY IF EXISTS tenant ON approval_policies;
                CREATE POLICY tenant ON approval_policies TO portal_tenant
                    USING (nullif(current_setting('portal.tenant', true), '') IS NOT NULL
                        AND tenant_id IN (nullif(current_setting('portal.tenant', true), '')::uuid, '00000000-0000-0000-0000-000000000000'))
                    WITH CHECK (tenant_id = nullif(current_setting('portal.tenant', true), '')::uuid);
                DROP POLICY IF EXISTS system ON approval_policies;
                CREATE POLICY system ON approval_policies TO portal_system USING (true) WITH CHECK (true);
                """);

            migrationBuilder.DropIndex(
                name: "ix_approval_votes_approval_step_id_voter_id",
                table: "approval_votes");

            migrationBuilder.RenameColumn(
                name: "mode",
                table: "approval_steps",
                newName: "side");

            migrationBuilder.AddColumn<bool>(
                name: "in_their_place",
                table: "approval_votes",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<string>(
                name: "name",
                table: "approval_steps",
                type: "character varying(60)",
                maxLength: 60,
                nullable: false,
                defaultValue: "");

            migrationBuilder.AddColumn<bool>(
                name: "of_platform",
                table: "approval_steps",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<Guid>(
                name: "policy_id",
                table: "approval_steps",
                type: "uuid",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "policy_version",
                table: "approval_steps",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<int>(
                name: "stage",
                table: "approval_steps",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<string>(
                name: "who",
                table: "approval_steps",
                type: "jsonb",
                maxLength: 20000,
                nullable: false,
                defaultValue: "[]");

            migrationBuilder.AddColumn<string>(
                name: "why",
                table: "approval_steps",
                type: "character varying(1000)",
                maxLength: 1000,
                nullable: false,
                defaultValue: "");

            // Under forced row-level security the owner of the tables sees no rows: this is the system's work.
            migrationBuilder.Sql(
                """
                SET LOCAL ROLE portal_system;
                INSERT INTO approval_policies (id, tenant_id, side, version, body, saved_by, saved_at, note)
                SELECT gen_random_uuid(), id, 'Provider', 1, '{"automatic":{"withinDays":0,"zone":"UTC"},"steps":[],"expiresAfterDays":14}', 'Portal', clock_timestamp(), 'As it was set before there were policies.'
                FROM tenants WHERE approval = 'Automatic';
                UPDATE approval_steps SET
                    name = CASE WHEN side = 'Automatic' THEN 'Policy' ELSE 'Approver' END,
                    why = CASE WHEN side = 'Automatic' THEN 'It says yes to every order by itself.' ELSE 'It asks about every order.' END,
                    who = CASE WHEN side = 'Automatic' THEN '[]'::jsonb ELSE '[{"platformRole":"Approver"}]'::jsonb END,
                    votes_needed = CASE WHEN side = 'Automatic' THEN 0 ELSE votes_needed END,
                    decided_at = CASE WHEN side = 'Automatic' THEN coalesce(decided_at, clock_timestamp()) ELSE decided_at END,
                    stage = 1,
                    side = 'Provider';
                RESET ROLE;
                """);

            migrationBuilder.DropColumn(
                name: "approval",
                table: "tenants");

            migrationBuilder.CreateIndex(
                name: "ix_approval_votes_approval_step_id_voter_id_in_their_place",
                table: "approval_votes",
                columns: new[] { "approval_step_id", "voter_id", "in_their_place" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_approval_steps_policy_id",
                table: "approval_steps",
                column: "policy_id");

            migrationBuilder.CreateIndex(
                name: "ix_approval_steps_undecided",
                table: "approval_steps",
                column: "order_id",
                filter: "decided_at IS NULL");

            migrationBuilder.AddCheckConstraint(
                name: "ck_approval_steps_votes_needed",
                table: "approval_steps",
                sql: "votes_needed > 0 OR decided_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_approval_policies_tenant_id_side_version",
                table: "approval_policies",
                columns: new[] { "tenant_id", "side", "version" },
                unique: true);

            migrationBuilder.AddForeignKey(
                name: "fk_approval_steps_approval_policies_policy_id",
                table: "approval_steps",
                column: "policy_id",
                principalTable: "approval_policies",
                principalColumn: "id",
                onDelete: ReferentialAction.Restrict);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropForeignKey(
                name: "fk_approval_steps_approval_policies_policy_id",
                table: "approval_steps");

            migrationBuilder.DropTable(
                name: "approval_policies");

            migrationBuilder.DropIndex(
                name: "ix_approval_votes_approval_step_id_voter_id_in_their_place",
                table: "approval_votes");

            migrationBuilder.DropIndex(
                name: "ix_approval_steps_policy_id",
                table: "approval_steps");

            migrationBuilder.DropIndex(
                name: "ix_approval_steps_undecided",
                table: "approval_steps");

            migrationBuilder.DropCheckConstraint(
                name: "ck_approval_steps_votes_needed",
                table: "approval_steps");

            migrationBuilder.DropColumn(
                name: "in_their_place",
                table: "approval_votes");

            migrationBuilder.DropColumn(
                name: "name",
                table: "approval_steps");

            migrationBuilder.DropColumn(
                name: "of_platform",
                table: "approval_steps");

            migrationBuilder.DropColumn(
                name: "policy_id",
                table: "approval_steps");

            migrationBuilder.DropColumn(
                name: "policy_version",
                table: "approval_steps");

            migrationBuilder.DropColumn(
                name: "stage",
                table: "approval_steps");

            migrationBuilder.DropColumn(
                name: "who",
                table: "approval_steps");

            migrationBuilder.DropColumn(
                name: "why",
                table: "approval_steps");

            migrationBuilder.RenameColumn(
                name: "side",
                table: "approval_steps",
                newName: "mode");

            migrationBuilder.AddColumn<string>(
                name: "approval",
                table: "tenants",
                type: "character varying(30)",
                maxLength: 30,
                nullable: false,
                defaultValue: "");

            migrationBuilder.CreateIndex(
                name: "ix_approval_votes_approval_step_id_voter_id",
                table: "approval_votes",
                columns: new[] { "approval_step_id", "voter_id" },
                unique: true);
        }
    }
}
