# shellcheck shell=bash
# What a person reads: one line per thing done, and errors that say what to do next.

# A step of the work: what, and what about it.
say() { printf '  %-10s %s\n' "$1" "$2"; }

# Whole sentences.
tell() { printf '%s\n' "$@"; }

warn() { printf 'portal: %s\n' "$@" >&2; }

# Ends the command: the first line says what is wrong, the others what to do about it.
fail() {
    local line first=yes
    for line in "$@"; do
        if [[ $first ]]; then
            printf 'portal: %s\n' "$line" >&2
            first=
        else
            printf '        %s\n' "$line" >&2
        fi
    done
    exit 1
}

# A yes from a person; --yes has given it in advance.
confirm() {
    local question="$1" answer
    [[ ${YES:-} != yes ]] || return 0
    [[ -t 0 ]] || fail "$question" "There is no terminal to answer on; --yes answers in advance."
    read -r -p "$question [y/N] " answer
    [[ $answer == [yY] || $answer == [yY][eE][sS] ]]
}

is_root() { ((EUID == 0)); }

# What only root may do. sudo asks for the password on the terminal.
as_root() {
    if is_root; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -- "$@"
    else
        fail "This needs root, and there is no sudo here: $*" "Run that as root, then repeat your command."
    fi
}

have() { [[ -x $(type -P -- "$1") ]]; }

# Waits until a command succeeds; the first argument is the time limit in seconds.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        pause 0.1
    done
}

# A pause between two looks at a condition: `read` with a deadline on a pipe that nobody writes to, without a process.
pause() {
    [[ ${PAUSE_FD:-} ]] || exec {PAUSE_FD}<> <(:)
    read -r -t "$1" -u "$PAUSE_FD" || true
}

has_ended() { ! is_running "$1"; }

# Something long in a session of its own: a signal then ends it through the script, at once and as a whole (stop_apart).
run_apart() {
    setsid "$@" </dev/null &
    APART=$!
    wait "$APART"
}

stop_apart() {
    [[ ${APART:-} ]] && is_running "$APART" || return 0
    kill -TERM -- "-$APART" 2>/dev/null || true
    wait_until 10 has_ended "$APART" || kill -KILL -- "-$APART" 2>/dev/null || true
}

# The options that every command takes; the rest is left in REST.
REST=()
take_data_option() {
    REST=()
    while (($# > 0)); do
        case "$1" in
            --data) need_value "$@"; use_data "$2"; shift 2 ;;
            --data=*) use_data "${1#--data=}"; shift ;;
            *) REST+=("$1"); shift ;;
        esac
    done
}

need_value() { [[ $# -ge 2 && -n $2 ]] || fail "$1 needs a value." "./portal help shows how it is used."; }
