# Ends the servers of a stack whose process ends in any way, also by kill -9. It reads from a pipe that only that process writes to:
# `add PID SIGNAL` and `remove PID`. At the end of the pipe it asks the remaining ones to stop, and ends them after ten seconds.
servers=' '
while read -r action pid signal; do
  case $action in
    add) servers="$servers$pid:$signal " ;;
    remove)
      kept=' '
      for server in $servers; do
        [ "${server%%:*}" = "$pid" ] || kept="$kept$server "
      done
      servers=$kept
      ;;
  esac
done

for server in $servers; do
  kill -s "${server#*:}" "${server%%:*}" 2>/dev/null
done
tenths=0
while [ "$tenths" -lt 100 ]; do
  alive=
  for server in $servers; do
    kill -0 "${server%%:*}" 2>/dev/null && alive=yes
  done
  [ -n "$alive" ] || exit 0
  sleep 0.1
  tenths=$((tenths + 1))
done
for server in $servers; do
  # Each server leads a process group of its own.
  kill -s KILL -- "-${server%%:*}" 2>/dev/null
done
