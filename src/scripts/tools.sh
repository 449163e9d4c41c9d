# shellcheck shell=bash
# The parts by themselves, and the two programs that use a portal from outside.

command_build() {
    take_data_option "$@"
    build_app
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
            mkdir -p -- "$DATA/log"
            install_needs libvirt
            libvirt_start
            ;;
        stop) libvirt_stop ;;
        status) if libvirt_answers; then tell "answers"; else tell "does not answer"; return 3; fi ;;
        *) fail "'libvirt' knows start, stop and status." ;;
    esac
}

command_demo() { use_portal demo "$@"; }

command_bench() { use_portal bench "$@"; }

# Runs a program against the portal that is up; if none is, against one that it brings up and stops again.
use_portal() {
    local job="$1" brought_up=
    shift
    take_data_option "$@"
    check_dotnet
    if ! lock_is_held || [[ ! -f $DATA/ready ]]; then
        "$ROOT/portal" up --background --data "$DATA"
        brought_up=yes
        # shellcheck disable=SC2064  # the directory of now
        trap "'$ROOT/portal' down --data '$DATA'" EXIT
    fi
    build_tool tests/Portal.Benchmarks
    PORTAL_DATA="$DATA" dotnet "$TOOL" "$job" --url "$(lock_field url | cut -d';' -f1)" --accounts "$DATA/accounts.txt" "${REST[@]}"
}

# Sets TOOL to a console project's program.
build_tool() {
    local project="$1" log="$ARTIFACTS/build.log"
    TOOL="$ARTIFACTS/bin/$(basename "$project")/release/$(basename "$project").dll"
    take_build_lock
    run_apart env -C "$ROOT" dotnet build "$project" -c Release --artifacts-path "$ARTIFACTS" --nologo -v quiet \
        -p:UseSharedCompilation=false -nodeReuse:false >"$log" 2>&1 || { grep -E 'error' "$log" | sort -u | head >&2; fail "The build of $project failed." "All that it said is in $log."; }
    exec 7>&-
}
