using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Portal.App;

namespace Portal.Migrations;

/// <summary>
/// What EF has no word for: the two database roles with row-level security, usage that cannot overlap, audit that cannot be changed and is chained.
/// Written by hand. Safe to rerun after a partial failure: each statement makes what it names only where it is missing.
/// </summary>
[DbContext(typeof(PortalDb))]
[Migration("20261122230000_Guards")]
public sealed class Guards : Migration
{
    // Rows of these belong to one tenant; the column says whose.
    private static readonly string[] s_tenantTables =
    [
        "projects", "memberships", "invitations", "ssh_keys", "vms", "volumes", "usage_intervals", "quota_reservations", "operations",
        "operation_steps", "orders", "order_lines", "approval_steps", "approval_votes", "console_tickets", "outbox", "audit_entries",
    ];

    // Read by every tenant: the catalogue has no secrets.
    private static readonly string[] s_sharedTables = ["templates", "template_versions", "plans", "plan_prices"];

    // What a tenant's own handlers write. Everything else is the system's to write.
    private static readonly (string Table, string Rights)[] s_tenantWrites =
    [
        ("invitations", "INSERT, UPDATE"),
        ("ssh_keys", "INSERT, DELETE"),
        ("vms", "UPDATE"),
        ("quota_reservations", "INSERT, DELETE"),
        ("operations", "INSERT, UPDATE"),
        ("operation_steps", "INSERT"),
        ("orders", "INSERT, UPDATE"),
        ("order_lines", "INSERT, UPDATE"),
        ("approval_steps", "INSERT"),
        ("console_tickets", "INSERT"),
        ("outbox", "INSERT"),
        ("audit_entries", "INSERT"),
    ];

    protected override void Up(MigrationBuilder migrationBuilder)
    {
        Roles(migrationBuilder);
        RowLevelSecurity(migrationBuilder);
        Usage(migrationBuilder);
        Audit(migrationBuilder);
        History(migrationBuilder);
    }

    private static void Roles(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        -- Roles belong to the whole cluster: another database, or another migration at this moment, may have made them.
        DO $$
        BEGIN
            CREATE ROLE portal_tenant NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END $$;
        DO $$
        BEGIN
            CREATE ROLE portal_system NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END $$;
        -- The portal signs in as the owner of the schema and takes on one of the two for each piece of work.
        DO $$
        BEGIN
            EXECUTE format('GRANT portal_tenant, portal_system TO %I', current_user);
        EXCEPTION WHEN unique_violation THEN NULL;
        END $$;
        GRANT USAGE ON SCHEMA public TO portal_tenant, portal_system;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO portal_system;
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO portal_system;
        -- Sequences that a tenant's own inserts draw from.
        GRANT USAGE ON SEQUENCE orders_number_seq, outbox_id_seq, audit_entries_id_seq TO portal_tenant;
        """);

    private static void RowLevelSecurity(MigrationBuilder migrationBuilder)
    {
        foreach (var table in s_tenantTables)
        {
            migrationBuilder.Sql(Policy(table, "tenant_id"));
        }

        migrationBuilder.Sql(Policy("tenants", "id"));
        foreach (var table in s_sharedTables)
        {
            migrationBuilder.Sql($"GRANT SELECT ON {table} TO portal_tenant;");
        }

        foreach (var (table, rights) in s_tenantWrites)
        {
            migrationBuilder.Sql($"GRANT {rights} ON {table} TO portal_tenant;");
        }
    }

    // Unset, the setting is null or empty: no row matches, so a query that forgot its tenant finds nothing.
    private static string Policy(string table, string column) =>
        $"""
        ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
        ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
        GRANT SELECT ON {table} TO portal_tenant;
        DROP POLICY IF EXISTS tenant ON {table};
        CREATE POLICY tenant ON {table} TO portal_tenant
            USING ({column} = nullif(current_setting('portal.tenant', true), '')::uuid)
            WITH CHECK ({column} = nullif(current_setting('portal.tenant', true), '')::uuid);
        DROP POLICY IF EXISTS system ON {table};
        CREATE POLICY system ON {table} TO portal_system USING (true) WITH CHECK (true);
        """;

    private static void Usage(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        -- Two stretches of one VM and meter never overlap. '[)' is the range's own default; an open end is unbounded.
        ALTER TABLE usage_intervals DROP CONSTRAINT IF EXISTS ex_usage_intervals_overlap;
        ALTER TABLE usage_intervals ADD CONSTRAINT ex_usage_intervals_overlap
            EXCLUDE USING gist (vm_id WITH =, meter WITH =, tstzrange("from", "to") WITH &&);
        """);

    private static void Audit(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        -- An entry's hash covers every column, as an array whose text form does not depend on the session, and the hash before it.
        CREATE OR REPLACE FUNCTION audit_hash(e audit_entries, previous bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
            SELECT sha256(previous || convert_to(jsonb_build_array(e.id, e.tenant_id, extract(epoch FROM e.at)::numeric, e.actor_id, e.actor_name, e.verb, e.object_id, e.object_name, e.details)::text, 'UTF8'))
        $$;

        -- Runs at commit, so that the chain's lock is the last that a transaction takes, and is held for a moment only.
        CREATE OR REPLACE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
        DECLARE
            last audit_links;
        BEGIN
            PERFORM pg_advisory_xact_lock(7003, hashtext(NEW.tenant_id::text));
            SELECT * INTO last FROM audit_links WHERE tenant_id = NEW.tenant_id ORDER BY seq DESC LIMIT 1;
            INSERT INTO audit_links (tenant_id, seq, entry_id, previous_hash, hash)
            VALUES (NEW.tenant_id, coalesce(last.seq, 0) + 1, NEW.id, coalesce(last.hash, '\x'::bytea), audit_hash(NEW, coalesce(last.hash, '\x'::bytea)));
            RETURN NULL;
        END $$;
        DROP TRIGGER IF EXISTS audit_chain ON audit_entries;
        CREATE CONSTRAINT TRIGGER audit_chain AFTER INSERT ON audit_entries DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION audit_chain();

        -- Append-only for everyone, the owner's own mistakes included.
        CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'The audit is append-only.' USING ERRCODE = 'insufficient_privilege';
        END $$;
        DROP TRIGGER IF EXISTS audit_entries_append_only ON audit_entries;
        CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
            FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
        DROP TRIGGER IF EXISTS audit_links_append_only ON audit_links;
        CREATE TRIGGER audit_links_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_links
            FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
        REVOKE INSERT, UPDATE, DELETE ON audit_links FROM portal_system;
        REVOKE UPDATE, DELETE ON audit_entries FROM portal_system;

        -- The first number of a chain that does not fit: a changed entry, a missing or foreign link, an entry without a link. Null where all fit.
        CREATE OR REPLACE FUNCTION audit_first_broken(chain uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
            SELECT min(broken) FROM (
                SELECT l.seq AS broken
                FROM (SELECT *, lag(hash, 1, '\x'::bytea) OVER (ORDER BY seq) AS before, row_number() OVER (ORDER BY seq) AS place FROM audit_links WHERE tenant_id = chain) l
                LEFT JOIN audit_entries e ON e.id = l.entry_id AND e.tenant_id = chain
                WHERE e.id IS NULL OR l.seq <> l.place OR l.previous_hash <> l.before OR l.hash <> audit_hash(e, l.before)
                UNION ALL
                SELECT coalesce((SELECT max(seq) FROM audit_links WHERE tenant_id = chain), 0) + 1
                FROM audit_entries e WHERE e.tenant_id = chain AND NOT EXISTS (SELECT 1 FROM audit_links l WHERE l.entry_id = e.id)
            ) x
        $$;
        """);

    // A finished thing stays finished: terminal states are terminal in the database too.
    private static void History(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        CREATE OR REPLACE FUNCTION operation_stays_finished() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'Operation % has ended as % and stays so.', OLD.id, OLD.state USING ERRCODE = 'check_violation';
        END $$;
        DROP TRIGGER IF EXISTS operation_stays_finished ON operations;
        CREATE TRIGGER operation_stays_finished BEFORE UPDATE OR DELETE ON operations
            FOR EACH ROW WHEN (OLD.finished_at IS NOT NULL) EXECUTE FUNCTION operation_stays_finished();

        CREATE OR REPLACE FUNCTION vm_stays_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'VM % is deleted and stays so.', OLD.id USING ERRCODE = 'check_violation';
        END $$;
        DROP TRIGGER IF EXISTS vm_stays_deleted ON vms;
        CREATE TRIGGER vm_stays_deleted BEFORE UPDATE OR DELETE ON vms
            FOR EACH ROW WHEN (OLD.deleted_at IS NOT NULL) EXECUTE FUNCTION vm_stays_deleted();

        CREATE OR REPLACE FUNCTION usage_stays_closed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'Usage % is closed and stays so.', OLD.id USING ERRCODE = 'check_violation';
        END $$;
        DROP TRIGGER IF EXISTS usage_stays_closed ON usage_intervals;
        CREATE TRIGGER usage_stays_closed BEFORE UPDATE OR DELETE ON usage_intervals
            FOR EACH ROW WHEN (OLD."to" IS NOT NULL) EXECUTE FUNCTION usage_stays_closed();
        """);
}
