#!/usr/bin/env bash
# Builds the lab's disks and kernels: Debian 12 with Xen 4.17, LVM and sshd, as a directory tree and then as one ext4 image. Needs root and
# network, no mount, no loop device, no KVM. `./portal lab up` runs it when it is needed: build.sh DIRECTORY
set -euo pipefail

LAB="$1"
HERE="$(cd "$(dirname "$0")" && pwd)"
ROOT="$LAB/rootfs"
DEBS="$LAB/debs"

PACKAGES=(
    systemd-sysv udev kmod procps iproute2 openssh-server sudo
    # Not the cloud kernel: it lacks CONFIG_XEN_DOM0.
    linux-image-amd64 initramfs-tools busybox-static cpio
    xen-hypervisor-4.17-amd64 xen-utils-4.17 xenstore-utils
    lvm2 thin-provisioning-tools bridge-utils nftables e2fsprogs mount util-linux
)

# Documents, and drivers that an emulated server has no use for: half of the image.
LEFT_OUT=(
    '/usr/share/'{doc,man,locale}'/*'
    '/lib/modules/*/kernel/drivers/'{gpu,media,infiniband,staging,iio,usb,scsi}'/*'
    '/lib/modules/*/kernel/drivers/net/'{wireless,ethernet}'/*'
    '/lib/modules/*/kernel/sound/*'
)

main() {
    mkdir -p "$DEBS"
    rm -rf "$ROOT" "$LAB"/*.qcow2
    make_keys
    bootstrap
    configure
    make_kernels
    make_disk
    rm -rf "$ROOT"
}

# The host's key is made here, so that it is known before the host is spoken to for the first time.
make_keys() {
    [[ -f $LAB/id ]] || ssh-keygen -q -t ed25519 -N '' -C lab -f "$LAB/id"
    [[ -f $LAB/host_key ]] || ssh-keygen -q -t ed25519 -N '' -C xenlab -f "$LAB/host_key"
}

# Sources, keys and proxies are whatever this machine's apt is configured with.
bootstrap() {
    local options=() sources=() line file
    while IFS= read -r line; do
        options+=("--aptopt=$line")
    done < <(apt-config dump | grep -E '^Acquire::(Check-|http|https|Retries)' || true)
    for line in "${LEFT_OUT[@]}"; do
        options+=("--dpkgopt=path-exclude=$line")
    done
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources; do
        if grep -qsE '^(deb |Types:)' "$file"; then sources+=("$file"); fi
    done
    # shellcheck disable=SC2016  # $1 is the hook's: mmdebstrap gives it the new root
    mmdebstrap --mode=root --variant=minbase --include="$(IFS=,; echo "${PACKAGES[*]}")" \
        --aptopt='APT::Install-Recommends "false"' "${options[@]}" \
        --skip=download/empty --skip=essential/unlink --skip=cleanup/apt/cache \
        --setup-hook='mkdir -p "$1/var/cache/apt/archives" "$1/etc/initramfs-tools/conf.d"' \
        --setup-hook="sync-in '$DEBS' /var/cache/apt/archives" \
        --setup-hook='printf "MODULES=list\nCOMPRESS=gzip\n" > "$1/etc/initramfs-tools/conf.d/lab"' \
        --setup-hook='printf "virtio_pci\nvirtio_blk\next4\n" > "$1/etc/initramfs-tools/modules"' \
        --customize-hook="sync-out /var/cache/apt/archives '$DEBS'" \
        --customize-hook='rm -rf "$1"/var/cache/apt/archives/*.deb "$1"/var/lib/apt/lists/*' \
        bookworm "$ROOT" "${sources[@]}"
}

configure() {
    local etc="$ROOT/etc"
    echo xenlab >"$etc/hostname"
    echo '127.0.0.1 localhost xenlab' >"$etc/hosts"
    echo '/dev/vda / ext4 rw,noatime 0 1' >"$etc/fstab"
    echo 'nameserver 10.0.2.3' >"$etc/resolv.conf"
    # What a build took over from this machine's apt may hold a proxy's password: none of it stays in the image.
    rm -f "$etc"/apt/apt.conf.d/99mmdebstrap

    install -d -m 700 "$ROOT/root/.ssh"
    install -m 600 "$LAB/id.pub" "$ROOT/root/.ssh/authorized_keys"
    rm -f "$etc"/ssh/ssh_host_*
    install -m 600 "$LAB/host_key" "$etc/ssh/ssh_host_ed25519_key"
    install -m 644 "$LAB/host_key.pub" "$etc/ssh/ssh_host_ed25519_key.pub"
    # Otherwise as Debian ships it: ten sessions to a connection, as a provider's host has it.
    printf 'HostKey /etc/ssh/ssh_host_ed25519_key\nUseDNS no\nPermitRootLogin prohibit-password\n' >"$etc/ssh/sshd_config.d/lab.conf"
    chroot "$ROOT" passwd -qd root # for the emulated console alone: sshd takes keys only

    # The bridge has the address; the network card and each guest's card are its ports.
    printf '[NetDev]\nName=xenbr0\nKind=bridge\nMACAddress=52:54:00:12:34:56\n' >"$etc/systemd/network/10-xenbr0.netdev"
    printf '[Match]\nName=eth0\n[Network]\nBridge=xenbr0\n' >"$etc/systemd/network/20-eth0.network"
    printf '[Match]\nName=xenbr0\n[Network]\nAddress=10.0.2.15/24\nGateway=10.0.2.2\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n' \
        >"$etc/systemd/network/30-xenbr0.network"
    printf '%s\n' virtio_net bridge dm_thin_pool dm_snapshot xen_blkback xen_netback xen_gntdev xen_gntalloc xen_evtchn xen_privcmd xenfs loop \
        >"$etc/modules-load.d/lab.conf"
    systemctl --root="$ROOT" -q enable systemd-networkd
    # What does nothing here but take time under emulation.
    systemctl --root="$ROOT" -q mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
        fstrim.timer systemd-pstore.service systemd-networkd-wait-online.service getty@tty1.service systemd-random-seed.service \
        ldconfig.service systemd-binfmt.service xendomains.service
    # Guests' consoles are logged from the first byte, whoever looks.
    echo 'XENCONSOLED_ARGS=--log=guest' >>"$etc/default/xen"
    mkdir -p "$ROOT/var/log/xen/console"
    rm -rf "$ROOT/var/log/journal" # the journal stays in memory
}

make_kernels() {
    local version offset
    version="$(basename "$ROOT"/lib/modules/*)"
    make_initrd "$version" "$LAB/initrd-dom0" virtio_pci virtio_blk ext4 crc32c_generic
    # The ELF file inside the packed kernel: unpacking it inside the emulator, as Xen would, costs 10 to 30 s at each start.
    offset="$(LC_ALL=C grep -obUaPm1 '\xfd7zXZ\x00' "$ROOT/boot/vmlinuz-$version" | head -n 1 | cut -d: -f1)"
    # What follows the packed kernel in the file makes xz complain at the end.
    tail -c "+$((offset + 1))" "$ROOT/boot/vmlinuz-$version" | xz -dc --single-stream >"$LAB/vmlinux" 2>/dev/null || true
    [[ $(head -c 4 "$LAB/vmlinux" | tail -c 3) == ELF ]] || { echo "The kernel in $ROOT/boot/vmlinuz-$version could not be unpacked." >&2; exit 1; }
    # QEMU's multiboot loader takes Xen's 32-bit ELF as it is.
    zcat "$ROOT/boot/xen-4.17-amd64.gz" >"$LAB/xen"
}

# busybox and the modules that the root disk needs, not packed: quicker under emulation.
make_initrd() {
    local version="$1" out="$2" work module
    shift 2
    work="$(mktemp -d)"
    mkdir -p "$work"/{bin,dev,proc,sys,mnt,m}
    cp "$ROOT/bin/busybox" "$work/bin/"
    ln -s busybox "$work/bin/sh"
    for module in "$@"; do
        chroot "$ROOT" modprobe -S "$version" --show-depends "$module" | awk '$1 == "insmod" {print $2}'
    done | awk '!seen[$0]++' | while read -r module; do
        cp "$ROOT$module" "$work/m/"
        basename "$module" >>"$work/m/order"
    done
    install -m 755 "$HERE/init" "$work/init"
    (cd "$work" && find . | cpio -o -H newc --quiet) >"$out"
    rm -rf "$work"
}

make_disk() {
    rm -f "$LAB/dom0.img"
    truncate -s 3G "$LAB/dom0.img"
    mke2fs -q -F -t ext4 -d "$ROOT" "$LAB/dom0.img"
}

main
