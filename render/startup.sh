#!/usr/bin/env bash
# Prepares the VM of a watcher. Google's guest agent runs it as root at every boot. There is no secret in it.
set -euo pipefail

readonly DISK=/dev/disk/by-id/google-promfleet-data DATA=/srv/promfleet

# Replaces a file at once; its text is the input.
put() { # MODE PATH
  cat >"$2.new"
  chmod "$1" "$2.new"
  mv "$2.new" "$2"
}

# Has a file system mounted at every boot, and now.
mounted() { # WHERE LINE-OF-FSTAB
  grep --quiet --fixed-strings --line-regexp "$2" /etc/fstab || echo "$2" >>/etc/fstab
  systemctl daemon-reload
  systemctl start "$(systemd-escape --path --suffix=mount "$1")"
}

# systemd formats the disk if nothing is on it, and lets the file system grow with the disk.
mounted "$DATA" "$DISK $DATA ext4 discard,nofail,x-systemd.makefs,x-systemd.growfs 0 2"
for service in prometheus alertmanager; do
  mkdir -p "$DATA/$service" "/var/lib/promfleet-$service"
  mounted "/var/lib/promfleet-$service" "$DATA/$service /var/lib/promfleet-$service none bind,nofail 0 0"
done

# The units of services require these mounts: none starts without its disk.
