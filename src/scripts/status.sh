# shellcheck shell=bash
# `./portal status`: what runs, and where. Exit code 0 if a portal serves, 3 if not (as services say it).

command_status() {
    take_data_option "$@"
    ((${#REST[@]} == 0)) || fail "'status' has no option ${REST[0]}." "./portal help lists what there is."
    if ! data_is_ours; then
        tell "There is no portal in $DATA." "Start one with: ./portal up$(data_argument)"
        return 3
    fi
    SHARED="$DATA"
    [[ ! -L $DATA/shared ]] || SHARED="$(readlink -f -- "$DATA/shared")"
    tell "Portal in $DATA"
    local code=0
    if lock_is_held; then
        if [[ -f $DATA/ready ]]; then say portal "serves at $(lock_field url)"; else say portal "is starting"; code=3; fi
        say since "$(lock_field since), process $(lock_field program), engine $(lock_field engine)"
    else
        say portal "does not run; start it with: ./portal up$(data_argument)"
        code=3
    fi
    say database "$(database_status)"
    ! libvirt_is_needed || say machines "$(if libvirt_answers; then instance_domains | wc -l; else echo "libvirtd does not answer"; fi)"
    [[ ! -f $DATA/lab ]] || say lab "$(lab_status || true)"
    say files "$(du -sh -- "$SHARED/" 2>/dev/null | cut -f1), $(df -h --output=avail -- "$DATA" | tail -n 1 | tr -d ' ') free on the disk"
    return "$code"
}

database_status() {
    if [[ ! -d $SHARED/postgres ]]; then
        echo "none of its own"
    else
        pg_paths
        if pg_answers; then echo "PostgreSQL $(pg_version) answers"; else echo "PostgreSQL $(pg_version) is stopped"; fi
    fi
}
