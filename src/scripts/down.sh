# shellcheck shell=bash
# `./portal down`: stops a portal, wherever it was started. With --all removes every trace of it.

command_down() {
    local all=
    take_data_option "$@"
    set -- "${REST[@]}"
    while (($# > 0)); do
        case "$1" in
            --all) all=yes ;;
            --yes | -y) YES=yes ;;
            -h | --help) help; return ;;
            *) fail "'down' has no option $1." "./portal help lists what there is." ;;
        esac
        shift
    done
    if ! data_is_ours; then
        [[ ! -d $DATA ]] || fail "$DATA was not made by a portal." "Name the right directory with --data DIR."
        tell "There is no portal in $DATA."
        [[ ! $all ]] || remove_builds
        return
    fi
    [[ -w $DATA ]] || fail "$DATA belongs to $(stat -c %U -- "$DATA")." "Run this as that user."
    make_data
    [[ ! $all ]] || ask_to_remove || { tell "Nothing was removed."; return 1; }

    stop_portal
    [[ ! $all ]] || remove_everything
}

# The script that serves stops all of it in order; where it was killed, its work is done here.
stop_portal() {
    local script program ran=
    script="$(lock_field pid)"
    program="$(lock_field program)"
    if lock_is_held; then
        ran=yes
        if [[ $script =~ ^[0-9]+$ ]] && is_running "$script"; then
            kill -TERM "$script"
        elif [[ $program =~ ^[0-9]+$ ]] && is_running "$program"; then
            kill -TERM "$program"
        fi
        if ! wait_until 60 lock_is_free; then
            warn "The portal did not stop within a minute: process $program is killed."
            kill -KILL "$program" 2>/dev/null || true
            wait_until 30 lock_is_free || fail "Something still works in $DATA." "Look at it with: fuser -v $DATA/lock"
        fi
    fi
    take_lock
    # What a killed run has left.
    rm -f -- "$DATA/running" "$DATA/ready"
    pg_stop
    ! libvirt_is_needed || libvirt_stop
    if [[ $ran ]]; then tell "The portal in $DATA has stopped."; else tell "No portal ran in $DATA."; fi
    [[ ! -f $DATA/lab ]] || ! lab_runs || tell "The lab and its machines run on. Stop it with: ./portal lab down"
}

lock_is_free() { ! lock_is_held; }

ask_to_remove() {
    local domains
    if libvirt_is_needed && ! libvirt_answers; then domains="all that it has made"; else domains="$(instance_domains | wc -l)"; fi
    tell "This removes the portal in $DATA:" \
        "  machines    $domains, with their disks in $(our_pools | paste -sd' ' -); they are switched off$([[ ! -f $DATA/lab ]] || echo "; the lab with those on it, if it was started for them"); those on hosts that were added in the browser stay there" \
        "  database    tenants, orders, usage, accounts$([[ -d $SHARED/postgres ]] || echo ' - not the one that ConnectionStrings__Portal names')" \
        "  files       $(du -sh -- "$SHARED/" 2>/dev/null | cut -f1) in $DATA$([[ $SHARED == "$DATA" ]] || echo " and $SHARED")$([[ ${PORTAL_APP:-} ]] || echo ", and the builds in $ARTIFACTS")" \
        "Installed Debian packages stay." ""
    confirm "Remove all of it for good?"
}

libvirt_is_needed() { grep -qsxF libvirt "$DATA/engines"; }

# The portal marks its domains with its instance; those of others are never touched.
instance_domains() {
    local instance
    libvirt_is_needed && [[ -f $DATA/instance ]] || return 0
    while read -r instance; do
        [[ $instance =~ ^[0-9a-f]{8}$ ]] || continue
        virsh -q -c qemu:///system list --all --name 2>/dev/null 9>&- | grep -E "^p$instance-[0-9a-f]{32}-g[0-9]+$" || true
    done <"$DATA/instance"
}

remove_everything() {
    if libvirt_is_needed; then
        libvirt_start
        remove_domains
        libvirt_stop
        libvirt_forget
    fi
    # On a database that stays, the portal's host stays known by its mark.
    [[ -d $SHARED/postgres || ! -s $DATA/instance ]] || tell "The database that ConnectionStrings__Portal named stays, and knows this machine as host $(paste -sd' ' -- "$DATA/instance")." \
        "A portal that is started on it again wants that mark as a line of the file 'instance' in its data directory."
    # Its machines go with it: they were in its memory and on its disks alone. One that ran before this portal is somebody else's.
    case "$(cat "$DATA/lab" 2>/dev/null)" in
        ours) lab_down ;;
        found) ! lab_runs || warn "The lab ran before this portal and runs on, with this portal's machines on it: ./portal lab down throws them away." ;;
    esac
    remove_pools
    rm -rf -- "${SHARED:?}/postgres" "$SHARED/postgres.new" "$SHARED/run" "$SHARED/postgres.version"
    if [[ $SHARED != "$DATA" ]]; then
        as_root rm -rf -- "$SHARED"
        as_root rmdir -- /var/lib/portal 2>/dev/null || true # unless another portal has a part there
    fi
    # The mark goes last: a removal that is cut off can be repeated.
    find "$DATA" -mindepth 1 -maxdepth 1 ! -name .portal ! -name lock -exec rm -rf -- {} +
    rm -f -- "$DATA/lock" "$DATA/.portal"
    rmdir -- "$DATA" 2>/dev/null || true
    say data "$DATA removed"
    remove_builds
    remove_made
    tell "Debian packages that ./portal installed stay; apt-get autoremove and purge are yours."
}

remove_domains() {
    local domain
    while read -r domain; do
        virsh -q -c qemu:///system destroy "$domain" >/dev/null 2>&1 9>&- || true
        virsh -q -c qemu:///system undefine "$domain" --managed-save --snapshots-metadata --nvram >/dev/null 2>&1 9>&- ||
            virsh -q -c qemu:///system undefine "$domain" >/dev/null 9>&- || fail "The machine $domain could not be removed." "Remove it with virsh undefine, then repeat your command."
        say machine "$domain removed"
    done < <(instance_domains)
    remove_domain_logs
    [[ -z $(instance_domains) ]] || fail "Some machines are still there: $(instance_domains | paste -sd' ' -)."
}

# libvirt keeps a log of each domain that ever was.
remove_domain_logs() {
    local instance
    [[ -f $DATA/instance ]] || return 0
    while read -r instance; do
        [[ ! $instance =~ ^[0-9a-f]{8}$ ]] || as_root find /var/log/libvirt/qemu -maxdepth 1 -name "p$instance-*.log*" -delete 2>/dev/null || true
    done <"$DATA/instance"
}

# Those of them that have its mark: another's, or somebody's directory, stays.
our_pools() {
    local pool
    while read -r pool; do
        [[ $pool != "$SHARED/pool" && $(pool_owner "$pool") != "$DATA" ]] || echo "$pool"
    done < <(data_pools)
}

# The pools that this portal used, as its starts wrote them down.
data_pools() { if [[ -s $DATA/pools ]]; then cat -- "$DATA/pools"; else echo "$SHARED/pool"; fi; }

# QEMU gives disks to a user of its own; the directory is ours, and so root is needed only where subdirectories changed hands. A pool elsewhere loses what
# portals make in one; what else somebody has put there stays.
remove_pools() {
    local pool part
    while read -r pool; do
        [[ -d $pool ]] || continue
        if [[ $pool == "$SHARED/pool" ]]; then
            rm -rf -- "${pool:?}" 2>/dev/null || as_root rm -rf -- "${pool:?}"
        else
            [[ $(pool_owner "$pool") == "$DATA" ]] || { warn "$pool does not have this portal's mark and stays."; continue; }
            for part in templates cache disks seeds consoles fences simulated acceleration.json .portal-pool; do
                rm -rf -- "${pool:?}/$part" 2>/dev/null || as_root rm -rf -- "${pool:?}/$part"
            done
            rmdir -- "$pool" 2>/dev/null || { warn "$pool stays: somebody else's files are in it."; continue; }
        fi
        say pool "$pool removed"
    done < <(data_pools)
}

# A program that PORTAL_APP names was built by someone else; one that runs on other data keeps its files.
remove_builds() {
    [[ -d $ARTIFACTS && ! ${PORTAL_APP:-} ]] || return 0
    take_build_lock
    if grep -qsF -- "$ARTIFACTS/app/" /proc/[0-9]*/cmdline; then
        say build "$ARTIFACTS stays: another portal runs from it"
        return
    fi
    rm -rf -- "${ARTIFACTS:?}"
    exec 7>&-
    say build "$ARTIFACTS removed"
}

# What was made outside for want of Debian's libvirt service. It stays while that package, or another portal, has use for it.
remove_made() {
    local kind name
    [[ -f $MADE ]] && [[ -z $(find /var/lib/portal -mindepth 1 -maxdepth 1 -type d 2>/dev/null) ]] || return 0
    if [[ $(dpkg-query -W -f '${db:Status-Status}' libvirt-daemon-system 2>/dev/null) != installed ]] && ! libvirt_answers; then
        while read -r kind name; do
            case "$kind" in
                user) as_root userdel "$name" 2>/dev/null || true ;;
                file) as_root rm -f -- "$name" ;;
            esac
        done <"$MADE"
    fi
    as_root rm -f -- "$MADE"
    as_root rmdir -- /var/lib/portal 2>/dev/null || true
}
