# shellcheck shell=bash
# libvirtd where no service manager runs it (containers, rescue systems). Where one does, it is left alone.

LIBVIRT_STATE=/run/portal
LIBVIRT_PID=$LIBVIRT_STATE/libvirtd.pid
LIBVIRT_HERE="$ROOT/src/Portal.Engine/Libvirt/libvirtd-here"

libvirt_answers() { timeout 10 virsh -q -c qemu:///system version >/dev/null 2>&1 9>&-; }

libvirt_start() {
    if [[ -d /run/systemd/system ]]; then
        libvirt_answers && return
        as_root systemctl start libvirtd.socket 2>/dev/null || as_root systemctl start libvirtd
        wait_until 15 libvirt_answers || libvirt_refuses
        return
    fi
    hold_libvirt
    libvirt_answers && return
    remember_libvirt
    # 8, 9: libvirtd and the guests outlive a portal that was killed, its locks must not.
    if ! as_root sh "$LIBVIRT_HERE" start "$LIBVIRT_STATE" >/dev/null 8<&- 9>&-; then
        wait_until 10 libvirt_answers || libvirt_refuses # two portals may start it at once: one of them succeeds
    fi
    libvirt_answers || libvirt_refuses
    say libvirt "libvirtd started"
}

# Every portal that uses libvirtd holds this lock shared; the last one out stops what a portal had started.
hold_libvirt() {
    [[ -d $LIBVIRT_STATE ]] || as_root mkdir -p -m 755 "$LIBVIRT_STATE"
    exec 8<"$LIBVIRT_STATE"
    flock -s 8
}

# A running libvirtd that turns this user away lets in the group that Debian made for it; membership counts from the next sign-in, or with `sg`.
libvirt_refuses() {
    if ! is_root; then
        if getent group libvirt >/dev/null && [[ ! ${JOINED_LIBVIRT:-} ]]; then
            say libvirt "letting $(id -un) use it: joins the group libvirt"
            as_root usermod -aG libvirt "$(id -un)"
            # sg stays as the new one's parent: with the locks open it would hold them for good.
            JOINED_LIBVIRT=yes exec sg libvirt -c "$(printf '%q ' "$ROOT/portal" "${ARGUMENTS[@]}")" 8<&- 9>&-
        fi
        fail "libvirtd does not let $(id -un) in." "Run this as root, or without machines: ./portal up --engine simulated"
    fi
    fail "libvirtd does not answer: $(virsh -q -c qemu:///system version 2>&1 9>&- | head -n 1)" \
        "See what it says with: libvirtd --verbose. Without machines the portal runs with: ./portal up --engine simulated"
}

# What libvirtd-here is about to make outside the data directory, for `down --all` to take away again.
MADE=/var/lib/portal/made
remember_libvirt() {
    id -u libvirt-qemu >/dev/null 2>&1 || remember_made user libvirt-qemu
    [[ -e /etc/libvirt/qemu.conf ]] || remember_made file /etc/libvirt/qemu.conf
}

remember_made() {
    as_root mkdir -p "$(dirname "$MADE")"
    as_root sh -c "grep -qsxF '$1 $2' $MADE || echo '$1 $2' >> $MADE"
}

libvirt_is_ours() {
    local pid
    pid="$(cat "$LIBVIRT_PID" 2>/dev/null)" && [[ $pid =~ ^[0-9]+$ && $(cat "/proc/$pid/comm" 2>/dev/null) == libvirtd ]]
}

# Its log and pid file, unless another portal has use for them.
libvirt_forget() {
    [[ -d $LIBVIRT_STATE ]] && ! libvirt_is_ours || return 0
    exec 8<"$LIBVIRT_STATE"
    ! flock -n -x 8 || as_root rm -rf -- "$LIBVIRT_STATE"
    exec 8<&-
}

libvirt_stop() {
    libvirt_is_ours || return 0
    exec 8<"$LIBVIRT_STATE"
    flock -n -x 8 || return 0
    as_root sh "$LIBVIRT_HERE" stop "$LIBVIRT_STATE"
    exec 8<&-
    say libvirt "libvirtd stopped; its guests run on"
}
