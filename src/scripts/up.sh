# shellcheck shell=bash
# `./portal up`: from whatever is there to a portal that serves. Each step looks first and does only what is missing, so that
# a run that was cut off anywhere is ended well by the next.

command_up() {
    local port='' urls='' background='' lab=
    ENGINE=libvirt
    take_data_option "$@"
    set -- "${REST[@]}"
    while (($# > 0)); do
        case "$1" in
            --port) need_value "$@"; port="$2"; shift ;;
            --port=*) port="${1#*=}" ;;
            --urls) need_value "$@"; urls="$2"; shift ;;
            --urls=*) urls="${1#*=}" ;;
            --engine) need_value "$@"; ENGINE="$2"; shift ;;
            --engine=*) ENGINE="${1#*=}" ;;
            --no-install) INSTALL=no ;;
            --background) background=yes ;;
            --lab) lab=yes ;;
            -h | --help) help; return ;;
            *) fail "'up' has no option $1." "./portal help lists what there is." ;;
        esac
        shift
    done
    [[ $ENGINE == libvirt || $ENGINE == simulated || $ENGINE == none ]] || fail "There is no engine '$ENGINE'." "There are: libvirt (real machines), simulated (no machines), and none (hosts are other machines, added in the browser)."
    choose_urls "$port" "$urls"

    check_dotnet_is_there
    make_data
    if [[ $lab ]] && lock_is_held && [[ -f $DATA/ready ]]; then
        # A portal that runs gets the lab as one more host.
        build_app
        name_database
        add_lab
        return
    fi
    take_lock
    write_lock "$$" - "$URL" "$ENGINE"
    # What was started before a step failed or was stopped does not stay behind.
    trap 'stop_after_failure' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP

    tell "Portal in $DATA"
    prepare
    [[ ! $lab ]] || add_lab
    rm -f -- "$DATA/ready"
    if [[ $background ]]; then
        serve_in_background
    else
        trap - EXIT
        serve
    fi
}

choose_urls() {
    local port="$1" urls="$2"
    if [[ $urls ]]; then
        [[ -z $port ]] || fail "--port and --urls exclude each other." "The port is part of the URL: --urls 'http://0.0.0.0:$port'"
        URL="$urls"
    elif [[ $port ]]; then
        [[ $port =~ ^[0-9]{1,5}$ ]] && ((port >= 1 && port <= 65535)) || fail "'$port' is no port." "A port is a number from 1 to 65535."
        URL="http://127.0.0.1:$port"
    else
        URL="${ASPNETCORE_URLS:-http://127.0.0.1:8080}"
    fi
}

check_dotnet_is_there() {
    [[ ${PORTAL_APP:-} ]] || have dotnet || check_dotnet
}

prepare() {
    local needs=()
    [[ ${ConnectionStrings__Portal:-} ]] || needs+=(database)
    [[ $ENGINE != libvirt ]] || needs+=(libvirt templates)
    ((${#needs[@]} == 0)) || install_needs "${needs[@]}"
    check_ports
    build_app

    if [[ ${ConnectionStrings__Portal:-} ]]; then
        say database "the one that ConnectionStrings__Portal names"
    else
        OWN_DATABASE=yes
        pg_start
        ConnectionStrings__Portal="$(pg_connection_string)"
    fi
    # `down` and `status` look for machines where there ever were any.
    grep -qsxF "$ENGINE" "$DATA/engines" || echo "$ENGINE" >>"$DATA/engines"
    [[ $ENGINE != libvirt ]] || libvirt_start

    make_pool
    [[ $ENGINE != libvirt ]] || refresh_lists "$PORTAL_POOL"
    export ConnectionStrings__Portal PORTAL_POOL PORTAL_DATA="$DATA" ASPNETCORE_URLS="$URL" Portal__Engine="$ENGINE"
}

# Where disks go. A directory that PORTAL_POOL names is empty or a pool already, so that `down --all` takes nothing away but what portals made.
make_pool() {
    PORTAL_POOL="$(realpath -m -- "${PORTAL_POOL:-$SHARED/pool}")"
    local owner
    owner="$(pool_owner "$PORTAL_POOL")"
    if [[ $PORTAL_POOL != "$SHARED/pool" && $owner != "$DATA" ]]; then
        # One whose portal is gone (moved, or removed by hand) is taken over.
        [[ ! $owner || ! -f $owner/.portal ]] || fail "$PORTAL_POOL is the pool of the portal in $owner." "Name another directory in PORTAL_POOL: two portals in one would take each other's disks away."
        [[ $owner || -z $(ls -A -- "$PORTAL_POOL" 2>/dev/null) ]] || was_a_pool "$PORTAL_POOL" || fail "$PORTAL_POOL has files in it that no portal has made." "Name an empty or a new directory in PORTAL_POOL."
    fi
    mkdir -p -- "$PORTAL_POOL" || fail "$PORTAL_POOL cannot be made." "Name another directory in PORTAL_POOL."
    chmod 711 -- "$PORTAL_POOL"
    printf "Disks of a portal's machines. './portal down --all' removes them. The portal's data is in:\n%s\n" "$DATA" >"$PORTAL_POOL/.portal-pool"
    grep -qsxF -- "$PORTAL_POOL" "$DATA/pools" || printf '%s\n' "$PORTAL_POOL" >>"$DATA/pools"
}

# A pool from before pools had a mark: this portal has run here, and the directory looks like one.
was_a_pool() { [[ -f $DATA/engines && -d $1/disks && -d $1/templates ]]; }

# The Xen host of `./portal lab` becomes a host of the portal: its row in the database, and the portal's part on its own disk, which its root installs.
add_lab() {
    local script whose=ours
    install_needs images templates
    ! lab_runs || whose="$(cat "$DATA/lab" 2>/dev/null || echo found)"
    echo "$whose" >"$DATA/lab"
    lab_up
    script="$(PORTAL_DATA="$DATA" dotnet "$APP" --lab-host 127.0.0.1 "$(<"$LAB/port")" "$LAB/host_key.pub")" || fail "The lab could not be added." "The reason is above."
    lab_ssh sh -s <<<"$script" >/dev/null || fail "The portal's part could not be installed in the lab." "Its words are above."
    say lab "is host xen-lab of this portal; its image of Tiny Linux is built and copied to it now (a few minutes)"
}

stop_after_failure() {
    trap '' INT TERM HUP EXIT
    stop_apart
    stop_the_rest
}

# Better here, with a name, than as an exception of the web server after a minute of building.
check_ports() {
    local url port who
    for url in ${URL//;/ }; do
        port="$(sed -n 's/.*:\([0-9]\{1,5\}\)\/\{0,1\}$/\1/p' <<<"$url")"
        [[ $port && $port != 0 ]] || continue
        (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || continue
        who="$(ss -Htlnp "sport = :$port" 2>/dev/null | sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/\1, process \2/p' | head -n 1)" || true
        fail "Port $port is taken${who:+ by $who}." "Choose another: ./portal up --port $((port < 65535 ? port + 1 : 8080))$(data_argument)"
    done
}

# A second process of this script serves and keeps the lock; this one comes back when the portal is ready.
serve_in_background() {
    local server started
    started="$(date +%s)"
    (
        trap - EXIT
        exec </dev/null >>"$DATA/log/portal.log" 2>&1
        QUIET=yes # the console is the log
        serve
    ) &
    server=$!
    disown "$server"
    trap 'kill -TERM "$server" 2>/dev/null; exit 130' INT TERM HUP
    trap - EXIT
    while [[ ! -f $DATA/ready ]]; do
        is_running "$server" || { tail -n 20 "$DATA/log/portal.log" >&2; fail "The portal ended before it served." "Its log is $DATA/log/portal.log."; }
        pause 0.1
    done
    # A first run's accounts, which the program told to nobody here.
    [[ ! -f $DATA/accounts.txt ]] || (($(stat -c %Y -- "$DATA/accounts.txt") < started)) || cat -- "$DATA/accounts.txt"
    cat -- "$DATA/ready"
    tell "It runs in the background. Log: $DATA/log/portal.log. Stop it with: ./portal down$(data_argument)"
}
