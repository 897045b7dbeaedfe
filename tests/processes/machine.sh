#!/bin/sh
# The first process of a machine with a systemd of its own: machine.sh FOLDER. It has namespaces of its own, and the file
# system of the machine that it runs on, under a layer in memory that takes whatever is written.
# When systemd ends, the kernel ends everything in the namespaces, the mounts among it.
set -e
folder=$1

mount --make-rprivate /
mount -t tmpfs -o mode=755 layers "$folder"
mkdir "$folder/upper" "$folder/work" "$folder/root"
mount -t overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" overlay "$folder/root"
cd "$folder/root"

mount -t proc proc proc
echo machine >proc/sys/kernel/hostname
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys # most of it is the kernel's, which has one machine only
for place in dev run tmp; do
  mount -t tmpfs -o mode=755 "$place" "$place"
done
chmod 1777 tmp
for node in null zero full random urandom tty; do
  touch "dev/$node"
  mount --bind "/dev/$node" "dev/$node"
done
mkdir dev/shm dev/pts
ln -s /proc/self/fd dev/fd
ln -s pts/ptmx dev/ptmx

mount -t sysfs -o ro sysfs sys
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mount -t cgroup2 cgroup2 sys/fs/cgroup
else
  mount -t tmpfs -o mode=755 cgroup sys/fs/cgroup
  mkdir sys/fs/cgroup/systemd sys/fs/cgroup/unified
  mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
  mount -t cgroup2 cgroup2 sys/fs/cgroup/unified
  for controller in cpu memory pids devices; do
    mkdir "sys/fs/cgroup/$controller"
    mount -t cgroup -o "$controller" cgroup "sys/fs/cgroup/$controller"
  done
fi

# None of the units of the machine that this runs on.
rm -rf etc/systemd/system
mkdir etc/systemd/system
cat >etc/systemd/system/lab.target <<'UNIT'
[Unit]
Description=Nothing but systemd and its journal
Requires=sysinit.target
After=sysinit.target
UNIT
for unit in dev-hugepages.mount dev-mqueue.mount sys-fs-fuse-connections.mount sys-kernel-debug.mount \
  sys-kernel-tracing.mount systemd-logind.service systemd-modules-load.service systemd-networkd.service \
  systemd-remount-fs.service systemd-resolved.service systemd-sysctl.service systemd-udev-trigger.service \
  systemd-udevd.service; do
  ln -s /dev/null "etc/systemd/system/$unit"
done
: >etc/machine-id
ip link set lo up
# Not chroot: from within one the kernel lets nobody make a user namespace.
mkdir old
pivot_root . old
cd /
umount --lazy old
exec env -i container=lab PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd --unit=lab.target --log-target=console
