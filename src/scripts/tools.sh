# shellcheck shell=bash
# The parts by themselves, and the two programs that use a portal from outside.

command_build() {
    take_data_option "$@"
    build_app >&2
    echo "$APP"
}

command_pg() {
    take_data_option "$@"
    set -- "${REST[@]}"
    case "${1:-}" in
        start)
            make_data
            take_lock
            install_needs database
            pg_start
            ;;
        stop)
            data_is_ours || return 0
            make_data
            take_lock
            pg_stop
            ;;
        status)
            data_is_ours || { tell "none"; return 3; }
            make_data
            database_status
            ;;
        psql)
            shift
            data_is_ours && make_data && pg_paths && pg_answers || fail "PostgreSQL does not run in $DATA." "Start it with: ./portal pg start$(data_argument)"
            portal_psql "$@"
            ;;
        *) fail "'pg' knows start, stop, status and psql." ;;
    esac
}

command_libvirt() {
    take_data_option "$@"
    case "${REST[0]:-}" in
        start)
            make_data
            install_needs libvirt
            libvirt_start
            ;;
        stop) libvirt_stop ;;
        status) if libvirt_answers; then tell "answers"; else tell "does not answer"; return 3; fi ;;
        *) fail "'libvirt' knows start, stop and status." ;;
    esac
}

# The main job, on the portal that is up; if none is, on one that is brought up for it and stopped again.
command_demo() {
    take_data_option "$@"
    check_dotnet
    build_tool tests/Portal.Benchmarks
    if names_a_portal "${REST[@]}"; then
        run_tool demo "${REST[@]}"
        return
    fi
    if ! lock_is_held || [[ ! -f $DATA/ready ]]; then
        "$ROOT/portal" up --background --data "$DATA"
        AFTERWARDS=(down --data "$DATA")
        trap 'afterwards' EXIT
        trap 'exit 143' TERM HUP
    fi
    run_tool demo --url "$(lock_field url)" --accounts "$DATA/accounts.txt" "${REST[@]}"
}

# For the administrator who is locked out and has nobody to ask: whoever may read the data may set passwords.
command_password_link() {
    take_data_option "$@"
    [[ ${REST[0]:-} == *@* && ${#REST[@]} -eq 1 ]] || fail "Name the account: ./portal password-link someone@example.org$(data_argument)"
    data_is_ours || fail "There is no portal in $DATA."
    make_data
    lock_is_held || fail "The portal has to run." "Start it with: ./portal up$(data_argument)"
    build_app >&2
    name_database
    Portal__PublicUrl="${Portal__PublicUrl:-$(lock_field url | cut -d';' -f1)}" PORTAL_DATA="$DATA" dotnet "$APP" --password-link "${REST[0]}"
}

# For a program that works on the database of a portal that runs.
name_database() {
    if [[ ! ${ConnectionStrings__Portal:-} ]]; then
        pg_paths
        ConnectionStrings__Portal="$(pg_connection_string)"
    fi
    export ConnectionStrings__Portal
}

# Figures want a portal that nobody uses: a new one, thrown away afterwards.
command_bench() {
    local port
    take_data_option "$@"
    check_dotnet
    build_tool tests/Portal.Benchmarks
    if names_a_portal "${REST[@]}"; then
        run_tool bench "${REST[@]}"
        return
    fi
    if [[ " ${REST[*]} " == *" engine "* ]]; then
        bench_engine
        return
    fi
    # The thrown-away portal has a database and a pool of its own: on another's it would take that one's machines away when it is removed.
    unset ConnectionStrings__Portal PORTAL_POOL PORTAL_ADMIN_EMAIL PORTAL_ADMIN_PASSWORD
    build_app
    export PORTAL_APP="$APP" # also for `down --all`, which then leaves the builds
    DATA="$(mktemp -d /tmp/portal-bench-XXXXXX)"
    port="$(free_port 18080 18180)"
    AFTERWARDS=(down --all --yes --data "$DATA")
    trap 'afterwards' EXIT
    trap 'exit 143' TERM HUP
    "$ROOT/portal" up --background --data "$DATA" --port "$port" >&2
    make_data
    pg_paths
    # The floors are measured in the portal's own database.
    ConnectionStrings__Portal="$(pg_connection_string)"
    export ConnectionStrings__Portal
    run_tool bench --url "http://127.0.0.1:$port" --accounts "$DATA/accounts.txt" "${REST[@]}"
    second_start "$port"
}

# The engine's figures want a Xen host, and nothing else of a portal: the lab as it is when it was just started, and thrown away afterwards. One that runs
# may be somebody's host, whose portal would lose it to the bench.
bench_engine() {
    ! lab_runs || fail "The lab runs already, and the figures want it for themselves." "Stop it with: ./portal lab down"
    AFTERWARDS=(lab down)
    trap 'afterwards' EXIT
    trap 'exit 143' TERM HUP
    "$ROOT/portal" lab up >&2
    PORTAL_LAB="$LAB" run_tool bench "${REST[@]}"
}

# From the command to the sign-in page, with everything built and the database there.
second_start() {
    local began took
    unset ConnectionStrings__Portal # named for the floors; the portal brings its own again
    "$ROOT/portal" down --data "$DATA" >&2
    began="${EPOCHREALTIME/./}"
    "$ROOT/portal" up --background --no-install --data "$DATA" --port "$1" >&2
    took=$(((${EPOCHREALTIME/./} - began) / 1000))
    tell "" "second start: it serves after $((took / 1000)).$(printf '%03d' $((took % 1000))) s (goal: at most 10 s): $( ((took <= 10000)) && echo ok || echo missed)"
    ((took <= 10000))
}

# Whether the arguments say themselves which portal, or want no portal at all.
names_a_portal() {
    local argument
    (($# > 0)) || return 1
    for argument in "$@"; do
        case "$argument" in --url | --url=* | --help | -h | -\? | --version) return 0 ;; esac
    done
    return 1
}

# Ctrl-C is the tool's: it removes what it made and says so. The script waits for that, and then cleans up after itself.
run_tool() {
    local code=0
    trap : INT
    PORTAL_DATA="$DATA" dotnet "$TOOL" "$@" || code=$?
    return "$code"
}

afterwards() {
    trap '' INT TERM HUP EXIT
    "$ROOT/portal" "${AFTERWARDS[@]}" >&2
}

# The first port of a range that nobody listens on.
free_port() {
    local port
    for ((port = $1; port <= $2; port++)); do
        (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
    done
    fail "No port from $1 to $2 is free."
}

# Sets TOOL to a console project's program, building it if a source is newer than the last build.
build_tool() {
    local project="$1" log="$ARTIFACTS/tool.log" stamp
    TOOL="$ARTIFACTS/bin/$(basename "$project")/release/$(basename "$project").dll"
    take_build_lock
    stamp="$(source_stamp "$project")"
    if [[ ! -f $TOOL || $stamp != "$(cat "$TOOL.stamp" 2>/dev/null)" ]]; then
        say build "building $(basename "$project")" >&2
        run_apart env -C "$ROOT" dotnet build "$project" -c Release --artifacts-path "$ARTIFACTS" --nologo -v quiet \
            -p:UseSharedCompilation=false -nodeReuse:false >"$log" 2>&1 || {
            grep -E 'error' "$log" | sort -u | head >&2
            fail "The build of $project failed." "All that it said is in $log."
        }
        echo "$stamp" >"$TOOL.stamp"
    fi
    exec 7>&-
}
