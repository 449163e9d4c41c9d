# shellcheck shell=bash
# What must be installed: looked for as programs, so that one from elsewhere counts as well; installed as Debian packages.

# Lines of "program package". A program with a slash is a path, a library (lib*.so.*) is looked for in /usr/lib,
# any other name in PATH.
needs_database() { echo "postgres postgresql"; }

needs_libvirt() {
    cat <<'LIST'
qemu-system-x86_64 qemu-system-x86
qemu-img qemu-utils
genisoimage genisoimage
busybox-static busybox-static
cpio cpio
virsh libvirt-clients
LIST
    # With a service manager libvirtd is its service. Without one that package would bring a service manager in: take the bare daemon.
    if [[ -d /run/systemd/system ]]; then
        echo "libvirtd libvirt-daemon-system"
    else
        echo "libvirtd libvirt-daemon"
    fi
}

# Images are made on the portal's own machine, also those of other hosts.
needs_images() {
    cat <<'LIST'
qemu-img qemu-utils
genisoimage genisoimage
busybox-static busybox-static
cpio cpio
xz xz-utils
LIST
}

# Debians are built there as well, with what images need; what operators bring is taken apart in a sandbox.
needs_templates() {
    cat <<'LIST'
mmdebstrap mmdebstrap
bwrap bubblewrap
xz xz-utils
zstd zstd
LIST
}

# The engine's tests, fast ones too, have Xen's own parser read what the portal writes for it.
needs_engine_tests() { echo "libxlutil.so.4.17 libxenmisc4.17"; }

needs_tests() {
    cat <<'LIST'
chromium chromium
docker-compose docker-compose
shellcheck shellcheck
xz xz-utils
LIST
}

is_there() {
    case "$1" in
        postgres) [[ -n $(postgres_bin) ]] ;;
        # The guest's userland is one static file; the other busybox needs libraries that the guest has not.
        busybox-static) have busybox && ! ldd "$(command -v busybox)" >/dev/null 2>&1 ;;
        lib*.so.*) compgen -G "/usr/lib/*/$1" >/dev/null ;;
        *) have "$1" ;;
    esac
}

# Makes sure that what the named lists say is there: install_needs database libvirt ...
install_needs() {
    local list program package missing=()
    for list in "$@"; do
        while read -r program package; do
            is_there "$program" || missing+=("$program:$package")
        done < <("needs_$list")
    done
    ((${#missing[@]} > 0)) || return 0

    local packages=("${missing[@]#*:}")
    if ! have apt-get; then
        fail "These programs are missing: ${missing[*]%%:*}." "This is no Debian: install them its own way (Debian's packages are ${packages[*]}), then repeat your command."
    fi
    if [[ ${INSTALL:-yes} == no ]]; then
        fail "These packages are missing: ${packages[*]}." \
            "Install them as root:" \
            "  $(install_hint "${packages[@]}")" \
            "or leave --no-install out, and it is done for you."
    fi
    say packages "installing ${packages[*]} (1 to 5 minutes)"
    install_packages "${packages[@]}"

    for program in "${missing[@]%%:*}"; do
        is_there "$program" || fail "$program is still missing after its package was installed." "Look at $(install_log)."
    done
}

install_hint() {
    [[ " $* " != *" postgresql "* ]] || printf '%s' "mkdir -p $CREATECLUSTER && echo 'create_main_cluster = false' > $CREATECLUSTER/portal.conf; "
    printf '%s' "apt-get update && apt-get install --no-install-recommends $*"
}

install_log() { echo "$DATA/log/packages.log"; }

# Debian's postgresql starts a cluster of its own on port 5432 when it is installed. The portal has a private one, and nobody
# asked for another: a drop-in says so while the package is being installed, and goes afterwards.
CREATECLUSTER=/etc/postgresql-common/createcluster.d

install_packages() {
    local log
    log="$(install_log)"
    # An earlier installation that was cut off; without this apt refuses every other.
    [[ -z $(dpkg --audit 2>/dev/null) ]] || as_root env DEBIAN_FRONTEND=noninteractive dpkg --configure -a >>"$log" 2>&1 || true
    if [[ " $* " == *" postgresql "* ]]; then
        as_root mkdir -p "$CREATECLUSTER"
        as_root sh -c "echo 'create_main_cluster = false' > $CREATECLUSTER/portal.conf"
    fi
    # apt's own lock may be held by the machine's unattended upgrades: waits for it.
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confold)
    if ! as_root "${apt[@]}" update >>"$log" 2>&1 || ! as_root "${apt[@]}" install --no-install-recommends "$@" >>"$log" 2>&1; then
        grep -E '^(E|Err|W):' "$log" | tail -n 5 >&2 || tail -n 5 "$log" >&2
        fail "apt-get could not install them." "All that it said is in $log. Mend that (is there a network?), then repeat your command: what is done stays done."
    fi
    if [[ " $* " == *" postgresql "* ]]; then
        as_root rm -f "$CREATECLUSTER/portal.conf"
        as_root rmdir "$CREATECLUSTER" 2>/dev/null || true
    fi
}

# The small Linux is built from packages that apt fetches: its lists must be there, and not so old that what they name has gone.
refresh_lists() {
    local pool="$1"
    [[ ${INSTALL:-yes} == yes && ! -d $pool/templates ]] && have apt-get || return 0
    [[ -z $(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -mtime -1 -print -quit 2>/dev/null) ]] || return 0
    say packages "reading Debian's lists anew"
    as_root apt-get -q -o DPkg::Lock::Timeout=600 update >>"$(install_log)" 2>&1 || warn "apt-get update failed; what it said is in $(install_log)."
}

# The SDK is the one thing that is not installed here: Debian 12 has no package of it.
check_dotnet() {
    have dotnet || fail "The .NET 10 SDK is missing." "Get it from https://dotnet.microsoft.com/download/dotnet/10.0 (Linux, SDK), and see that 'dotnet' is in your PATH."
    # Run in the checkout: global.json says which SDKs will do.
    local version
    version="$(cd "$ROOT" && dotnet --version 2>/dev/null)" && [[ $version == 10.* ]] ||
        fail "The .NET 10 SDK is missing; this machine has: $(dotnet --list-sdks 2>/dev/null | cut -d' ' -f1 | paste -sd' ' -)." \
            "Get it from https://dotnet.microsoft.com/download/dotnet/10.0 (Linux, SDK)."
}
