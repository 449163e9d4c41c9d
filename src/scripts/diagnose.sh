# shellcheck shell=bash
# `./portal diagnose`: one file for a bug report. What is secret never gets into it: every text goes through `mask`.

command_diagnose() {
    take_data_option "$@"
    ((${#REST[@]} == 0)) || fail "'diagnose' has no option ${REST[0]}." "./portal help lists what there is."
    local name bundle
    SHARED="$DATA"
    [[ ! -L $DATA/shared ]] || SHARED="$(readlink -f -- "$DATA/shared")"
    name="portal-diagnose-$(date -u +%Y%m%d-%H%M%S)"
    bundle="$PWD/$name.tar.gz"
    WORK="$(mktemp -d)"
    trap 'rm -rf -- "$WORK"' EXIT
    mkdir -- "$WORK/$name"
    find_secrets >"$WORK/secrets"

    local part
    for part in system packages sources settings portal database machines health; do
        "tell_$part" 2>&1 | mask >"$WORK/$name/$part.txt" || true
    done
    copy_logs "$WORK/$name"
    (umask 077 && tar -C "$WORK" -czf "$bundle" "$name")
    tell "Written: $bundle ($(du -h -- "$bundle" | cut -f1))" \
        "Passwords, keys, tokens and mail addresses in it are masked. Look through it before you send it: tar -xzf $name.tar.gz"
}

# The secrets that can be known by value: one per line.
find_secrets() {
    # In the accounts file a password stands after its address.
    [[ ! -r $DATA/accounts.txt ]] || perl -0ne 'print "$1\n" while /\S+@\S+\s+(\S+)/g' "$DATA/accounts.txt"
    [[ ! -r $DATA/postgres.pass ]] || sed 's/.*://' "$DATA/postgres.pass"
    printf '%s\n' "${PORTAL_ADMIN_PASSWORD:-}"
    # Whatever a setting of the environment names a password or the like.
    env | sed -n -E 's/^[^=]*(PASS|SECRET|TOKEN|KEY|CREDENTIAL)[^=]*=(.+)$/\2/Ip'
    printf '%s\n' "${ConnectionStrings__Portal:-}" | sed -n -E 's/.*(password|pwd) *= *([^;]+).*/\2/Ip'
}

# By value, then by shape. Perl takes the values from a file: they are no one's command line.
mask() {
    perl -e '
        open(my $file, "<", $ARGV[0]) or die; my @secrets = grep { length($_) >= 4 } map { chomp; $_ } <$file>;
        my $known = @secrets ? join("|", map { quotemeta } sort { length($b) <=> length($a) } @secrets) : undef;
        my $private = 0;
        while (my $line = <STDIN>) {
            $private = 1 if $line =~ /-----BEGIN [A-Z ]*PRIVATE KEY-----/;
            if ($private) { $private = 0 if $line =~ /-----END/; print "(a private key)\n" unless $private; next; }
            $line =~ s/$known/(masked)/g if defined $known;
            $line =~ s/((?:password|passwd|passphrase|pwd|secret|token|ticket|api[-_]?key|authorization|cookie)"?\s*[=:]\s*"?)(?:(?:Bearer|Basic)\s+)?[^\s;,"&]+/$1(masked)/gi;
            $line =~ s/\b(Bearer|Basic)\s+[A-Za-z0-9._~+\/=-]{8,}/$1 (masked)/g;
            $line =~ s/([?&](?:access_token|code|ticket|key|sig)=)[^&\s"]+/$1(masked)/gi;
            $line =~ s/(:\/\/[^\/\s:@]+:)[^\/\s@]+@/$1(masked)@/g;
            $line =~ s/\b(ssh-(?:rsa|ed25519)|ecdsa-sha2-\S+)\s+\S+/$1 (masked)/g;
            $line =~ s/[A-Za-z0-9._%+-]+@([A-Za-z0-9-]+\.[A-Za-z0-9.-]+)/(someone)\@$1/g;
            print $line;
        }' "$WORK/secrets"
}

tell_system() {
    cat /etc/os-release
    uname -srvm
    uptime
    nproc
    free -m
    df -h
    ls -l /dev/kvm
    grep -m 1 -E '^flags' /proc/cpuinfo | grep -oE '\b(vmx|svm)\b'
    ls -d /run/systemd/system
}

tell_packages() {
    dotnet --info
    dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\n' 'postgresql*' 'qemu*' 'libvirt*' genisoimage 'busybox*' cpio 'chromium*' 'linux-image*'
}

tell_sources() {
    git -C "$ROOT" log -1 --format='%H %cI'
    git -C "$ROOT" status --short
    ls -l "$ARTIFACTS" "$ARTIFACTS/app"
    cat "$ARTIFACTS/build.log"
}

# Names of all, values only of those that are known to tell nothing.
tell_settings() {
    env | sed -n -E 's/^((Portal|ConnectionStrings|Logging|ASPNETCORE|DOTNET|PORTAL)[A-Za-z0-9_]*)=.*/\1 is set/p'
    env | grep -E '^(ASPNETCORE_URLS|ASPNETCORE_ENVIRONMENT|Portal__Engine|DOTNET_ENVIRONMENT)='
}

tell_portal() {
    command_status || true
    cat "$DATA/running"
    find "$DATA" "$SHARED/" -maxdepth 2 -not -path '*/postgres/*' -printf '%M %u %s %TFT%TH:%TM %p\n'
    is_root || id
}

tell_database() {
    [[ -d $SHARED/postgres ]] || return 0
    pg_paths
    database_status
    portal_psql -c 'select version()' -c "select count(*), state, wait_event_type from pg_stat_activity group by 2, 3" \
        -c 'select * from "__EFMigrationsHistory" order by 1' \
        -c "select relname, n_live_tup from pg_stat_user_tables order by 2 desc limit 60" \
        -c "select pg_size_pretty(pg_database_size('portal'))"
}

tell_machines() {
    have virsh || return 0
    timeout 10 virsh -c qemu:///system version
    timeout 10 virsh -c qemu:///system nodeinfo
    timeout 10 virsh -c qemu:///system list --all
    libvirt_is_ours && echo "libvirtd was started by a portal: process $(<"$LIBVIRT_PID")"
    tail -n 100 /var/log/libvirt/libvirtd.log
}

tell_health() {
    local url path
    url="$(lock_field url | cut -d';' -f1)"
    [[ $url ]] || return 0
    for path in /health/live /health/ready; do
        printf '\n%s\n' "$path"
        http_get "$url" "$path"
    done
}

# bash alone: a bare Debian has no curl.
http_get() {
    local host port
    host="${1#*://}"
    port="${host##*:}"
    port="${port%%/*}"
    exec 6<>"/dev/tcp/127.0.0.1/$port" || return 1
    printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&6
    timeout 10 cat <&6
    exec 6>&-
}

# The ends of the logs; PostgreSQL's may belong to its own user.
copy_logs() {
    local file
    for file in "$DATA"/log/*.log "$DATA"/log/*.log.1 "$SHARED"/postgres/log/*.log "$SHARED"/postgres/start.log; do
        [[ -r $file ]] || continue
        tail -c 1000000 -- "$file" | mask >"$1/log-$(basename -- "$(dirname -- "$file")")-$(basename -- "$file").txt"
    done
}
