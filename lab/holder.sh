#!/bin/sh
# The first process of a node: holder.sh NAME HOME. It has namespaces of its own (processes, mounts, network, name);
# it makes the places that a node's components must not share, then buries orphans until it is ended.
# When it ends, the kernel ends everything in the node.
set -e
name=$1 home=$2

echo "$name" > /proc/sys/kernel/hostname
mkdir -p /var/lib/kubelet "$home/kubelet" "$home/log"
mount -t tmpfs -o mode=755 run /run
mount --bind "$home/kubelet" /var/lib/kubelet
mount --bind "$home/log" /var/log

# /sys must show the node's network; the control groups below it are the machine's.
mkdir /run/cgroup
mount --rbind /sys/fs/cgroup /run/cgroup
mount -t sysfs sysfs /sys
mount --rbind /run/cgroup /sys/fs/cgroup
umount --recursive --lazy /run/cgroup
mount --make-rshared /

ip link set lo up
echo 1 > /proc/sys/net/ipv4/ip_forward
touch /run/ready

while :; do sleep 3600; done
