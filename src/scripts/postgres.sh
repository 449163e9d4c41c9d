# shellcheck shell=bash
# A private PostgreSQL for one data directory: UNIX socket only, never as root, no way in for other local users.

# A cluster opens only with the version that made it; a new one takes the newest.
postgres_bin() {
    local version='*'
    [[ ! -f ${SHARED:-$DATA}/postgres.version ]] || version="$(<"${SHARED:-$DATA}/postgres.version")"
    if [[ ${PORTAL_PG_BIN:-} ]]; then
        [[ -x $PORTAL_PG_BIN/postgres ]] && echo "$PORTAL_PG_BIN"
        return 0
    fi
    local dir
    # shellcheck disable=SC2086  # the star is meant
    for dir in $(printf '%s\n' /usr/lib/postgresql/$version/bin /usr/local/pgsql/bin /usr/pgsql-$version/bin | sort -rV); do
        if [[ -x $dir/postgres && -x $dir/initdb ]]; then
            echo "$dir"
            return 0
        fi
    done
    have postgres && have initdb && dirname -- "$(readlink -f -- "$(command -v postgres)")"
    return 0
}

pg_paths() {
    PG_DIR="$SHARED/postgres"
    PG_RUN="$SHARED/run"
    PG_PASS="$DATA/postgres.pass"
    PG_BIN="$(postgres_bin)"
    if [[ -z $PG_BIN ]]; then
        [[ ! -f $SHARED/postgres.version ]] || fail "The database in $DATA was made by PostgreSQL $(<"$SHARED/postgres.version"), which is not installed." "Install postgresql-$(<"$SHARED/postgres.version"), or name its programs' directory in PORTAL_PG_BIN."
        fail "PostgreSQL is missing." "Install it with: apt-get install postgresql"
    fi
    # Who owns the cluster runs it; root may not (initdb refuses), and gives it to PostgreSQL's own user.
    if [[ -d $PG_DIR ]]; then
        PG_USER="$(stat -c %U -- "$PG_DIR")"
        is_root || [[ $PG_USER == "$(id -un)" ]] || fail "The database in $DATA belongs to $PG_USER." "Run this as root, or choose another directory with --data DIR."
    elif is_root; then
        PG_USER=postgres
        id -u postgres >/dev/null 2>&1 || fail "There is no user 'postgres' to run the database as; root must not." "Install Debian's package postgresql, or run this as another user than root."
    else
        PG_USER="$(id -un)"
    fi
}

# As the cluster's owner, from a directory that it can read, with nothing of the caller's environment.
pg_as() {
    if [[ $PG_USER == "$(id -un)" ]]; then
        (cd / && env -i PATH="$PATH" LC_ALL=C.UTF-8 TZ=UTC "$@")
    else
        (cd / && setpriv --reuid="$PG_USER" --regid="$(id -g "$PG_USER")" --init-groups env -i PATH="$PATH" LC_ALL=C.UTF-8 TZ=UTC "$@")
    fi
}

pg_start() {
    pg_paths
    local new=
    if [[ ! -d $PG_DIR ]]; then
        pg_make
        new=yes
    fi
    pg_make_run
    if pg_answers; then
        say database "PostgreSQL was running already: taken over"
    else
        pg_clear_stale
        # 8, 9: the locks are the portal's; PostgreSQL outlives a portal that was killed.
        pg_as "$PG_BIN/pg_ctl" -D "$PG_DIR" -o "-k $PG_RUN" -l "$PG_DIR/start.log" -w -t 120 start >/dev/null 8<&- 9>&- || {
            tail -n 5 "$PG_DIR/start.log" >&2 || true
            fail "PostgreSQL did not start." "Its log is in $PG_DIR/log/ and $PG_DIR/start.log."
        }
        say database "PostgreSQL $(pg_version) started"
    fi
    [[ ! $new ]] && portal_psql -c 'select 1' >/dev/null 2>&1 || pg_let_portal_in
}

pg_version() { "$PG_BIN/postgres" --version | sed 's/.* \([0-9][0-9.]*\).*/\1/'; }

# The directory appears under its name only when it is whole: an initdb that was cut off leaves nothing that looks like a database.
pg_make() {
    say database "making a private PostgreSQL $(pg_version) in $PG_DIR"
    rm -rf -- "$PG_DIR.new"
    mkdir -m 700 -- "$PG_DIR.new"
    chown "$PG_USER" -- "$PG_DIR.new"
    pg_as "$PG_BIN/initdb" -D "$PG_DIR.new" -U postgres --auth=peer --encoding=UTF8 --locale=C.UTF-8 --data-checksums --no-instructions \
        >"$DATA/log/initdb.log" 2>&1 || fail "initdb failed: $(tail -n 1 "$DATA/log/initdb.log")" "All that it said is in $DATA/log/initdb.log."

    pg_as tee "$PG_DIR.new/pg_hba.conf" >/dev/null <<'CONF'
# Only over the socket, and only two ways: the cluster's owner, known to the kernel, as its superuser;
# and the portal's role with its password. No other local user gets in.
local all postgres peer map=owner
local all all      scram-sha-256
CONF
    echo "owner $PG_USER postgres" | pg_as tee "$PG_DIR.new/pg_ident.conf" >/dev/null
    pg_as tee -a "$PG_DIR.new/postgresql.conf" >/dev/null <<'CONF'
listen_addresses = ''
unix_socket_permissions = 0777  # the socket's directory is 0700: that is the door
password_encryption = 'scram-sha-256'
timezone = 'UTC'
# A week of logs, each day over the one of the week before.
logging_collector = on
log_directory = 'log'
log_filename = 'postgresql-%a.log'
log_rotation_age = 1d
log_rotation_size = 0
log_truncate_on_rotation = on
CONF
    pg_as sed 's/\..*//' "$PG_DIR.new/PG_VERSION" >"$SHARED/postgres.version"
    mv -- "$PG_DIR.new" "$PG_DIR"
}

pg_make_run() {
    [[ -d $PG_RUN ]] || mkdir -m 700 -- "$PG_RUN"
    chmod 700 -- "$PG_RUN"
    [[ $(stat -c %U -- "$PG_RUN") == "$PG_USER" ]] || chown "$PG_USER" -- "$PG_RUN"
}

pg_answers() { pg_as "$PG_BIN/pg_isready" -q -h "$PG_RUN" 2>/dev/null; }

# The server and its children stand in the data directory; a number in a pid file may long belong to someone else.
pg_processes() {
    find /proc -mindepth 2 -maxdepth 2 -name cwd -lname "$(readlink -f -- "$PG_DIR" | sed 's/[][*?\\]/\\&/g')" -printf '%h\n' 2>/dev/null | sed 's#/proc/##' || true
}

pg_is_gone() { [[ -z $(pg_processes) ]]; }

# A server that does not answer is starting, stopping, or was killed and its children are about to see it: wait until it answers or is gone.
# Files that are left then name nobody of ours, but PostgreSQL refuses to start while some process has that number, a zombie even.
pg_clear_stale() {
    wait_until 60 pg_answers_or_is_gone || fail "An earlier PostgreSQL neither answers nor ends: processes $(pg_processes | paste -sd' ' -)." "Its log is in $PG_DIR/log/."
    ! pg_is_gone || rm -f -- "$PG_DIR/postmaster.pid" "$PG_RUN"/.s.PGSQL.*
}

pg_answers_or_is_gone() { pg_answers || pg_is_gone; }

# The portal's role, database and password, made where they are missing. The password never is on a command line or in an environment.
pg_let_portal_in() {
    if [[ ! -s $PG_PASS ]]; then
        rm -f -- "$PG_PASS.new" # one of a killed run may have any mode
        (umask 077 && printf '*:*:*:portal:%s\n' "$(head -c 24 /dev/urandom | od -An -vtx1 | tr -d ' \n')" >"$PG_PASS.new")
        mv -f -- "$PG_PASS.new" "$PG_PASS"
    fi
    # Neither a superuser nor past row-level security; may make the two roles under which rows are guarded.
    pg_as "$PG_BIN/psql" -XqAt -v ON_ERROR_STOP=1 -h "$PG_RUN" -U postgres -d postgres <<SQL >/dev/null || fail "The portal's role could not be made in PostgreSQL." "Its log is in $PG_DIR/log/."
select 'create role portal login createrole' where not exists (select from pg_roles where rolname = 'portal') \gexec
alter role portal password '$(sed 's/.*://' "$PG_PASS")';
select 'create database portal owner portal' where not exists (select from pg_database where datname = 'portal') \gexec
SQL
    portal_psql -c 'select 1' >/dev/null || fail "The portal's role cannot sign in to PostgreSQL." "Its log is in $PG_DIR/log/."
}

portal_psql() { PGPASSFILE="$PG_PASS" PGHOST="$PG_RUN" PGUSER=portal PGDATABASE=portal "$PG_BIN/psql" -Xw "$@" 9>&-; }

# Npgsql reads the password file by itself, so that no secret stands in an environment.
pg_connection_string() { printf 'Host=%s;Username=portal;Database=portal;Passfile="%s"' "$PG_RUN" "${PG_PASS//\"/\"\"}"; }

pg_stop() {
    [[ -d $SHARED/postgres ]] || return 0
    pg_paths
    ! pg_is_gone || return 0
    pg_as "$PG_BIN/pg_ctl" -D "$PG_DIR" -m fast -w -t 60 stop >/dev/null 2>&1 || true
    wait_until 10 pg_is_gone || fail "PostgreSQL did not stop: processes $(pg_processes | paste -sd' ' -)." "Its log is in $PG_DIR/log/."
    say database "PostgreSQL stopped"
}
