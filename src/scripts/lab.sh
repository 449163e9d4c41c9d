# shellcheck shell=bash
# `./portal lab`: a real Xen and LVM host inside QEMU, for tests and for those who have no such machine. Nothing of it needs KVM.

# Built once and kept outside the checkout: what is in it depends on the scripts of tests/lab/ and on this one.
LAB="${PORTAL_LAB:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/portal/lab}"
LAB_SOURCE="$ROOT/tests/lab"

# Who saved a state can go on from it only with the same machine: processor, memory and devices.
LAB_MEMORY_MIB=3072
LAB_DOM0_MIB=1024
# qemu64 and no more: with SMAP or XSAVE emulated, Xen's dom0 dies or its processes do. Guests in the processor's own virtualisation (PVH) want
# qemu64,+svm,+npt, in a lab of its own (PORTAL_LAB): a state goes on with its processor alone.
LAB_CPU="${PORTAL_LAB_CPU:-qemu64}"

command_lab() {
    local what
    take_data_option "$@"
    set -- "${REST[@]}"
    what="${1:-status}"
    (($# == 0)) || shift
    case "$what" in
        up) lab_up "$@" ;;
        down) lab_down ;;
        status) lab_status ;;
        ssh) lab_ssh "$@" ;;
        *) fail "'lab' knows up, down, status and ssh." "./portal help lists what there is." ;;
    esac
}

needs_lab() {
    cat <<'LIST'
qemu-system-x86_64 qemu-system-x86
qemu-img qemu-utils
mmdebstrap mmdebstrap
mke2fs e2fsprogs
cpio cpio
xz xz-utils
ssh openssh-client
socat socat
LIST
}

lab_up() {
    local fresh='' started=$SECONDS
    while (($# > 0)); do
        case "$1" in
            --fresh) fresh=yes ;; # boots anew from the saved state even where it runs
            --no-install) INSTALL=no ;;
            *) fail "'lab up' has no option $1." ;;
        esac
        shift
    done
    mkdir -p -- "$LAB/log"
    exec 6>>"$LAB/lock"
    flock -n 6 || { say lab "another command works on the lab; waiting for it" && flock 6; }
    DATA="$LAB" install_needs lab
    [[ ! $fresh ]] || lab_stop
    if lab_runs; then
        say lab "runs already, process $(<"$LAB/pid")"
    else
        lab_is_built || lab_build
        lab_boot -loadvm ready
        lab_ssh 'date -s "@'"$(date +%s)"'"' >/dev/null # the saved clock is old
        say lab "up after $((SECONDS - started)) s"
    fi
    tell "Xen host: root@127.0.0.1 port $(<"$LAB/port"), key $LAB/id, host key in $LAB/known_hosts. A shell on it: ./portal lab ssh"
    exec 6>&-
}

lab_down() {
    [[ -d $LAB ]] || { tell "There is no lab."; return; }
    exec 6>>"$LAB/lock"
    flock 6
    if lab_runs; then
        lab_stop
        tell "The lab has stopped; it starts again from its saved state."
    else
        tell "The lab does not run."
    fi
    exec 6>&-
}

lab_status() {
    if lab_runs; then
        tell "runs: process $(<"$LAB/pid"), root@127.0.0.1 port $(<"$LAB/port")"
    elif lab_is_built; then
        tell "built in $LAB ($(du -sh -- "$LAB" | cut -f1)), does not run"
        return 3
    else
        tell "not built"
        return 3
    fi
}

# A command in the host, or a shell.
lab_ssh() {
    lab_runs || fail "The lab does not run." "Start it with: ./portal lab up"
    ssh -F none -i "$LAB/id" -p "$(<"$LAB/port")" -o BatchMode=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile="$LAB/known_hosts" \
        -o LogLevel=ERROR -o ConnectTimeout=10 root@127.0.0.1 "$@" 6>&-
}

lab_runs() {
    local pid
    pid="$(cat "$LAB/pid" 2>/dev/null)" && [[ $pid =~ ^[0-9]+$ && $(cat "/proc/$pid/comm" 2>/dev/null) == qemu-system-x86 ]]
}

lab_stamp() { { cat -- "$LAB_SOURCE"/{build.sh,init,settle.sh} "$ROOT/src/scripts/lab.sh" && echo "$LAB_CPU"; } | sha256sum | head -c 16; }

lab_is_built() { [[ $(cat "$LAB/built" 2>/dev/null) == "$(lab_stamp)" ]]; }

# The state is saved with the host booted and its volume groups made; every later start goes on from there.
lab_build() {
    local log="$LAB/log/build.log" started=$SECONDS sudo=()
    is_root || sudo=(sudo -E --) # with the environment, which apt may need
    rm -f -- "$LAB/built"
    say lab "building a Xen host (2 to 6 minutes; kept in $LAB)"
    run_apart "${sudo[@]}" "$LAB_SOURCE/build.sh" "$LAB" >"$log" 2>&1 || {
        tail -n 20 "$log" >&2
        fail "The lab could not be built." "All that it said is in $log."
    }
    qemu-img create -q -f qcow2 -F raw -b "$LAB/dom0.img" "$LAB/dom0.qcow2"
    qemu-img create -q -f qcow2 "$LAB/disk.qcow2" 20G
    qemu-img create -q -f qcow2 "$LAB/swap.qcow2" 20G
    say lab "built in $((SECONDS - started)) s; first boot (1 to 3 minutes)"
    lab_boot
    lab_ssh bash -s <"$LAB_SOURCE/settle.sh" >>"$log" 2>&1 || {
        tail -n 20 "$log" >&2
        lab_stop
        fail "The lab's host could not be prepared." "All that it said is in $log; its console is $LAB/log/console.log."
    }
    lab_monitor "savevm ready"
    lab_stop
    lab_stamp >"$LAB/built"
}

# Comes back when the host takes connections. QEMU has a process group of its own and outlives this command.
lab_boot() {
    local port
    port="$(free_port 22022 22122)"
    rm -f -- "$LAB/pid"
    run_apart qemu-system-x86_64 -name portal-lab -daemonize -pidfile "$LAB/pid" \
        -machine q35 -accel tcg,thread=multi,tb-size=512 -cpu "$LAB_CPU" -smp 2 -m "$LAB_MEMORY_MIB" -display none -vga none -nodefaults -no-reboot \
        -kernel "$LAB/xen" \
        -append "console=com1 com1=115200 loglvl=warning guest_loglvl=warning dom0_mem=${LAB_DOM0_MIB}M,max:${LAB_DOM0_MIB}M dom0_max_vcpus=2 spec-ctrl=no xpti=no" \
        -initrd "$LAB/vmlinux root=/dev/vda console=hvc0 net.ifnames=0 mitigations=off quiet,$LAB/initrd-dom0" \
        -drive "file=$LAB/dom0.qcow2,format=qcow2,if=none,id=d0,cache=unsafe" -device virtio-blk-pci,drive=d0 \
        -drive "file=$LAB/disk.qcow2,format=qcow2,if=none,id=d1,cache=unsafe,discard=unmap" -device virtio-blk-pci,drive=d1 \
        -drive "file=$LAB/swap.qcow2,format=qcow2,if=none,id=d2,cache=unsafe,discard=unmap" -device virtio-blk-pci,drive=d2 \
        -netdev "user,id=n0,hostfwd=tcp:127.0.0.1:$port-10.0.2.15:22" -device virtio-net-pci,netdev=n0,mac=52:54:00:12:34:55 \
        -object rng-random,filename=/dev/urandom,id=r0 -device virtio-rng-pci,rng=r0 \
        -serial "file:$LAB/log/console.log" -qmp "unix:$LAB/monitor,server=on,wait=off" "$@" 6>&- ||
        fail "QEMU did not start the lab." "Its words are above. To build the lab anew: rm -r $LAB"
    echo "$port" >"$LAB/port"
    echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$LAB/host_key.pub")" >"$LAB/known_hosts"
    wait_until 600 lab_answers || fail "The lab's host did not answer within 10 minutes." "Its console is $LAB/log/console.log."
}

lab_answers() {
    lab_runs || fail "The lab's QEMU ended." "Its console is $LAB/log/console.log."
    lab_ssh true 2>/dev/null
}

# One command for QEMU's monitor; comes back when it is done.
lab_monitor() {
    local answer
    answer="$(printf '{"execute":"qmp_capabilities"}\n{"execute":"human-monitor-command","arguments":{"command-line":"%s"}}\n{"execute":"query-name"}\n' "$1" |
        socat -t 600 - "UNIX-CONNECT:$LAB/monitor" 6>&- | sed '/portal-lab/q')"
    [[ $answer == *'"return": ""'* ]] || fail "QEMU's monitor refused '$1': $(tail -n 2 <<<"$answer" | head -n 1)"
}

# Nothing to flush: what is worth keeping is in the saved state.
lab_stop() {
    local pid
    lab_runs || return 0
    pid="$(<"$LAB/pid")"
    kill -TERM "$pid"
    wait_until 20 has_ended "$pid" || kill -KILL "$pid"
    rm -f -- "$LAB/pid"
}
