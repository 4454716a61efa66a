#!/bin/busybox sh
# First program of the VM, in the initramfs: puts the host's root file system, read-only, under an overlay in memory, mounts what
# was given to this VM, and hands over to /weir/supervise (or to systemd, when its unit is there).
export PATH=/bin

fail () {
  echo "weir-vm: $*" >/dev/console
  poweroff -f
}

# The block device with this serial number, none if the VM has no such disk.
disk () {
  for entry in /sys/block/vd*; do
    [ "$(cat "$entry/serial" 2>/dev/null)" = "$1" ] && echo "/dev/${entry##*/}"
  done
}

/bin/busybox mkdir -p /proc /sys /dev /lower /upper /root
/bin/busybox --install -s /bin
mount -t proc proc /proc && mount -t sysfs sys /sys || fail 'no /proc or /sys'
mount -t devtmpfs dev /dev 2>/dev/null
while read -r module; do
  insmod "/modules/$module" || fail "kernel module $module does not load"
done </modules/order

mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=524288 weirroot /lower || fail 'the root file system of the host cannot be mounted'
mount -t tmpfs -o mode=755 overlay /upper && mkdir /upper/files /upper/work || fail 'no memory for the overlay'
mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work overlay /root || fail 'no overlay above the root file system of the host'

mkdir -p /root/proc /root/sys /root/dev /root/run /root/tmp || fail 'nothing can be written above the root file system of the host'
mount -t proc proc /root/proc
mount -t sysfs sys /root/sys
mount -t devtmpfs dev /root/dev
mkdir -p /root/dev/pts /root/dev/shm
mount -t devpts -o mode=620,ptmxmode=666 devpts /root/dev/pts
mount -t tmpfs -o mode=1777 shm /root/dev/shm
mount -t tmpfs -o mode=755 run /root/run
ln -sf /proc/self/fd /root/dev/fd
for number in 0:stdin 1:stdout 2:stderr; do ln -sf "/proc/self/fd/${number%:*}" "/root/dev/${number#*:}"; done
mount -t cgroup2 -o nsdelegate cgroup2 /root/sys/fs/cgroup || fail 'no cgroup v2'
for controller in $(cat /root/sys/fs/cgroup/cgroup.controllers); do
  echo "+$controller" >/root/sys/fs/cgroup/cgroup.subtree_control
done

mkdir -p /root/weir/bin /root/weir/data /root/weir/out || fail 'no folder /weir'
cp -a /weir/. /root/weir/ && cp /bin/busybox /root/weir/bin/busybox || fail 'no memory for /weir'
chroot /root /weir/bin/busybox --install -s /weir/bin
data=$(disk weir-data)
if [ -n "$data" ]; then mount -t ext4 "$data" /root/weir/data || fail 'the data disk cannot be mounted'; fi
swap=$(disk weir-swap)
if [ -n "$swap" ]; then mkswap "$swap" >/dev/null && swapon "$swap" || fail 'the swap disk cannot be used'; fi
if grep -q weirout /sys/bus/virtio/drivers/9pnet_virtio/*/mount_tag 2>/dev/null; then
  # No cache: what was written is on the host, also when this kernel panics in the next moment.
  mount -t 9p -o trans=virtio,version=9p2000.L,rw,cache=none,msize=524288 weirout /root/weir/out || fail 'the results folder cannot be mounted'
fi

# With systemd the job is an ordinary user's: one of the host's, or one that is only in the overlay.
if [ -e /weir/user ]; then
  read -r uid </weir/user
  read -r cwd </weir/cwd
  name=$(awk -F: -v uid="$uid" '$3 == uid { print $1; exit }' /root/etc/passwd)
  if [ -z "$name" ]; then
    name=weir
    echo "weir:x:$uid:$uid::/weir/home:/bin/sh" >>/root/etc/passwd
    echo "weir:x:$uid:" >>/root/etc/group
  fi
  # PAM asks for the account's age; who started the VM may not be able to read the host's file.
  rm -f /root/etc/shadow
  for account in root "$name"; do echo "$account:*:19000:0:99999:7:::"; done >/root/etc/shadow
  mkdir -p /root/weir/home
  chown -R "$uid" /root/weir/home /root/weir/data
  while [ "$cwd" != / ]; do
    chmod o+rx "/root$cwd"
    cwd=$(dirname "$cwd")
  done
  # Nothing of the host's own services, disks and clocks.
  : >/root/etc/fstab
  head -c 16 /dev/urandom | hexdump -v -e '/1 "%02x"' >/root/etc/machine-id
  mkdir -p /root/run/systemd/system
  cp -r /weir/units/. /root/run/systemd/system/
  for unit in systemd-udevd.service systemd-udev-trigger.service systemd-timesyncd.service systemd-hwdb-update.service \
    systemd-modules-load.service systemd-binfmt.service systemd-pstore.service timers.target; do
    ln -sf /dev/null "/root/run/systemd/system/$unit"
  done
fi

hostname weir-vm
ip link set lo up
ulimit -n 65536
umount /proc /sys /dev
if [ -e /weir/user ]; then
  exec switch_root /root /lib/systemd/systemd --unit=weir-job.target --log-level=notice </dev/console >/dev/console 2>&1
fi
exec switch_root /root /weir/bin/busybox sh /weir/supervise </dev/console >/dev/console 2>&1
