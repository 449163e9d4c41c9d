#!/bin/bash
# Runs once inside the lab's new host, before its state is saved: the volume groups that a provider's host would have.
set -eu
systemctl is-system-running --wait || true # "degraded" for a unit that has nothing to do here; what counts is that Xen answers
xl info >/dev/null
pvcreate -q /dev/vdb && vgcreate -q vgdisk /dev/vdb
pvcreate -q /dev/vdc && vgcreate -q vgswap /dev/vdc
lvcreate -q -y --type thin-pool -L 8G -n thin vgdisk
sync
