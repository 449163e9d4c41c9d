# shellcheck shell=bash
# The data directory: everything that one portal keeps. Two portals never use one at the same time.

DATA="$ROOT/var"

use_data() {
    [[ $1 == /* ]] && DATA="$1" || DATA="$PWD/$1"
    DATA="$(realpath -m -- "$DATA")"
}

# The mark tells a directory of ours from one that happens to have the name, which nobody wants emptied by `down --all`.
data_is_ours() { [[ -f $DATA/.portal ]]; }

make_data() {
    if ! data_is_ours; then
        if [[ -d $DATA && -n $(ls -A -- "$DATA") ]]; then
            fail "$DATA has files in it that no portal has made." "Choose an empty or a new directory with --data DIR."
        fi
        mkdir -p -- "$DATA" || fail "$DATA cannot be made." "Choose another directory with --data DIR."
        # Others may pass (PostgreSQL's and QEMU's own users do), but not list.
        chmod 711 -- "$DATA"
        echo "A portal keeps its data here. './portal down --all' removes it." >"$DATA/.portal"
    fi
    [[ -w $DATA ]] || fail "$DATA belongs to $(stat -c %U -- "$DATA")." "Run this as that user, or choose another directory with --data DIR."
    mkdir -p -- "$DATA/log"
    chmod 700 -- "$DATA/log"
    place_outside
}

# PostgreSQL and QEMU run as users of their own and must reach their files; many home directories (and /root) let nobody through.
# A UNIX socket's path also ends at 107 bytes, and PostgreSQL's options and libvirt's XML take no odd characters. In these cases those files live in
# /var/lib/portal, found again through a link.
place_outside() {
    SHARED="$DATA"
    if [[ -L $DATA/shared ]]; then
        SHARED="$(readlink -f -- "$DATA/shared")"
    elif ! others_can_pass "$DATA" || ((${#DATA} > 80)) || { [[ $DATA == *[!A-Za-z0-9/._+-]* && ! -d $DATA/postgres && ! -d $DATA/pool ]]; }; then
        SHARED="/var/lib/portal/$(printf %s "$DATA" | sha256sum | head -c 12)"
        say data "other programs cannot use $DATA: disks and database go to $SHARED"
    fi
    if [[ $SHARED != "$DATA" && ! -d $SHARED ]]; then
        as_root mkdir -p -- "$SHARED"
        as_root chown "$EUID" -- "$SHARED"
        chmod 711 -- "$SHARED"
    fi
    [[ $SHARED == "$DATA" || -L $DATA/shared ]] || ln -s -- "$SHARED" "$DATA/shared"
}

others_can_pass() {
    local dir="$1"
    while [[ $dir != / ]]; do
        [[ $(stat -c %A -- "$dir") == *[xt] ]] || return 1
        dir="$(dirname -- "$dir")"
    done
}

# Whose pool a directory is: the data directory that its mark names.
pool_owner() { [[ ! -f $1/.portal-pool ]] || sed -n 2p -- "$1/.portal-pool"; }

# Held by this script, the program, and what must not be left half done (initdb); never by PostgreSQL and libvirtd, which outlive a killed script.
take_lock() {
    exec 9>>"$DATA/lock"
    flock -n 9 && return
    # A program killed a moment ago still counts as living while the kernel takes its memory back; only a script that lives is a portal that runs.
    if ! script_lives && flock -w 20 9; then
        return # what a killed run had started has ended by now
    fi
    if lock_holder_lives; then
        fail "A portal already runs on $DATA: process $(lock_field pid), $(lock_field url)." \
            "Stop it with: ./portal down$(data_argument)" "or start a second one beside it: ./portal up --data DIR --port N"
    fi
    fail "Something that an earlier, killed run started still works in $DATA." "Look at it with: fuser -v $DATA/lock"
}

# For people and for `down`: who holds the lock. Never the lock itself.
write_lock() {
    printf 'pid %s\nprogram %s\nurl %s\nengine %s\nsince %s\n' "$1" "$2" "$3" "$4" "$(date -u +%FT%TZ)" >"$DATA/lock.new"
    mv -f -- "$DATA/lock.new" "$DATA/running"
}

lock_field() { sed -n "s/^$1 //p" "$DATA/running" 2>/dev/null || true; }

lock_is_held() { [[ -f $DATA/lock ]] && ! flock -n "$DATA/lock" true 9>&-; }

lock_holder_lives() { script_lives || field_lives program; }

script_lives() { field_lives pid; }

field_lives() {
    local pid
    pid="$(lock_field "$1")"
    [[ $pid =~ ^[0-9]+$ ]] && is_running "$pid"
}

# Also true for another user's process, which `kill -0` may not ask.
is_running() { [[ -d /proc/$1 ]] && [[ $(process_state "$1") != Z ]]; }

process_state() { sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null || true; }

# How to say --data in an advice.
data_argument() { [[ $DATA == "$ROOT/var" ]] || printf ' --data %q' "$DATA"; }
