# shellcheck shell=bash
# Runs the program until it ends or is told to, and stops what was started with it, in order.

LOG_LIMIT=$((10 * 1024 * 1024))

serve() {
    local code=0 log logger
    trap 'stop_program' INT TERM HUP
    exec {log}> >(keep_log)
    logger=$!
    # A session of its own: Ctrl-C reaches this script alone, which then says who stops first.
    setsid dotnet "$APP" </dev/null >&"$log" 2>&1 &
    PROGRAM=$!
    exec {log}>&-
    write_lock "$BASHPID" "$PROGRAM" "$URL" "$ENGINE"

    # `wait` comes back at each signal; the program's end is what it waits for.
    while true; do
        code=0
        wait "$PROGRAM" || code=$?
        is_running "$PROGRAM" || break
    done
    trap '' INT TERM HUP
    wait_until 5 has_ended "$logger" || true # its last words
    stop_the_rest
    ((code == 0)) || [[ ${STOPPING:-} ]] || fail "The portal ended with code $code." "The reason is above and in $DATA/log/portal.log; if it is a mystery: ./portal diagnose$(data_argument)"
}

# The first signal asks, the second does not.
stop_program() {
    if [[ ${STOPPING:-} ]]; then
        kill -KILL "$PROGRAM" 2>/dev/null || true
        return
    fi
    STOPPING=yes
    [[ ${PROGRAM:-} ]] || { stop_the_rest; exit 130; }
    tell "" "Stopping (once more: at once). Machines run on."
    kill -TERM "$PROGRAM" 2>/dev/null || true
}

stop_the_rest() {
    rm -f -- "$DATA/running" "$DATA/ready"
    [[ ${OWN_DATABASE:-} != yes ]] || pg_stop
    [[ ${ENGINE:-} != libvirt ]] || libvirt_stop
}

# The program's own words to the console and to a log of at most two files of 10 MiB; its line of readiness also to a file, for those who wait.
# The passwords that a first run shows are for the person at the console: the log does not keep them.
# Perl, because it reads a pipe line by line without a process for each; Debian always has it. It ends with the program, not with Ctrl-C.
keep_log() {
    trap '' INT TERM HUP
    [[ ${QUIET:-} != yes ]] || exec >/dev/null
    exec perl -e '
        use IO::Handle;
        my ($data, $limit) = @ARGV;
        my ($path, $ready, $accounts) = ("$data/log/portal.log", "$data/ready", "$data/accounts.txt");
        my ($seen, @passwords) = (0);
        sub open_log { open(LOG, ">>", $path) or die "$path: $!"; LOG->autoflush(1); }
        sub masked {
            my ($line) = @_;
            my $changed = (stat($accounts))[9] // 0;
            if ($changed != $seen && open(my $file, "<", $accounts)) { local $/; @passwords = (<$file> =~ /\S+@\S+\s+(\S+)/g); $seen = $changed; }
            $line =~ s/\Q$_\E/(in $accounts)/g for @passwords;
            return $line;
        }
        STDOUT->autoflush(1);
        $SIG{PIPE} = "IGNORE";
        open_log();
        while (my $line = <STDIN>) {
            print STDOUT $line;
            print LOG masked($line);
            if ($line =~ /^Portal is ready at/ && open(my $file, ">", "$ready.new")) { print $file $line; close($file); rename("$ready.new", $ready); }
            if (-s LOG > $limit) { close(LOG); rename($path, "$path.1"); open_log(); }
        }' "$DATA" "$LOG_LIMIT" 7>&- 8>&- 9>&-
}
