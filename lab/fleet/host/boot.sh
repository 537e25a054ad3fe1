# First process of a host: gives the host its own disk, hides the disks of the others, and makes everything else read-only.
# Arguments: the host's own directory, the path at which it is this host's disk, the directory of all hosts, directories that are shared
# read-only, `--`, then the program that goes on. Started by ../host.ts in namespaces of its own.
set -e
own=$1 disk=$2 hosts=$3
shift 3
mount --bind "$own" "$disk"
while [ "$1" != -- ]; do
  mount --rbind "$1" "$1"
  mount -o remount,bind,ro "$1"
  shift
done
shift
mount -t tmpfs -o ro,mode=755 none "$hosts"
mount -t tmpfs -o mode=1777 none /dev/shm
mount -o remount,bind,ro /
export TMPDIR="$disk/tmp"
mkdir -p "$TMPDIR"
exec "$@"
