#!/weir/bin/busybox sh
# Runs /weir/job in the VM. Its output goes to the ports weir.out and weir.err, each closed with an end mark; over weir.ctl it says
# `ready KERNEL` and `exit CODE`, and hears `stop` (ask the job to end). Then it waits for the host to end the VM.
export PATH=/weir/bin

fail () {
  echo "weir-vm: $*" >/dev/console
  poweroff -f
}

# The device of the port with this name; the kernel makes them a moment after the driver was loaded.
port () {
  for attempt in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    for entry in /sys/class/virtio-ports/*; do
      [ "$(cat "$entry/name" 2>/dev/null)" = "$1" ] && echo "/dev/${entry##*/}" && return
    done
    usleep 250000
  done
}

ctl=$(port weir.ctl) out=$(port weir.out) err=$(port weir.err)
[ -n "$ctl" ] && [ -n "$out" ] && [ -n "$err" ] || fail 'the ports to the host are not there'
exec 9<>"$ctl" || fail 'the port to the host cannot be opened'

# The job writes into pipes, as it would anywhere: a port can be opened only once.
mkdir -p /run/weir
mkfifo /run/weir/out /run/weir/err
{ cat /run/weir/out; printf '\0weir-end\0'; } >"$out" 9>&- &
pump_out=$!
{ cat /run/weir/err; printf '\0weir-end\0'; } >"$err" 9>&- &
pump_err=$!

echo "ready $(uname -r)" >&9
job_command=/weir/job
[ -e /weir/user ] && job_command=/weir/as-user
setsid "$job_command" </dev/null >/run/weir/out 2>/run/weir/err 9>&- &
job=$!
while read -r line; do
  [ "$line" = stop ] && kill -TERM "-$job"
done <&9 &
wait "$job"
code=$?
# What the job left behind would hold the pipes open: all of the user's; without systemd all that is neither a kernel thread nor of
# this shell's own session.
if [ -e /weir/user ]; then
  /bin/systemctl kill --signal=KILL "user-$(cat /weir/user).slice"
else
  for pid in $(ps -o pid,ppid,sid | awk -v own="$(awk '{ print $6 }' /proc/$$/stat)" '$1 > 2 && $2 != 2 && $3 != own { print $1 }'); do
    kill -KILL "$pid" 2>/dev/null
  done
fi
wait "$pump_out" "$pump_err"
echo "exit $code" >&9
sleep 60
poweroff -f
