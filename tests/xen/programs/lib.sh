# What the programs' scripts share. Runs in the pod, by dash, with the root on 9p.

export LC_ALL=C PATH=/usr/lib/postgresql/15/bin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive
LOGS=/var/log/programs
mkdir -p $LOGS

now() { cut -d. -f1 /proc/uptime; }

# check NAME COMMAND...: one line of TAP with the seconds it took; what it printed when it failed.
check() {
	name=$1
	shift
	begin=$(now)
	if ("$@") >$LOGS/log 2>&1 </dev/null; then
		echo "ok - $name ($(($(now) - begin)) s)"
	else
		echo "not ok - $name ($(($(now) - begin)) s)"
		tail -n 30 $LOGS/log | cut -c 1-300 | sed 's/^/#   /'
	fi
}

# wait_for SECONDS COMMAND...: until it succeeds
wait_for() {
	until_then=$(($(now) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(now)" -lt $until_then ] || { echo "waited in vain: $*"; return 1; }
		sleep 0.2
	done
}

at_least() { [ -f "$2" ] && [ "$(wc -l <"$2")" -ge "$1" ]; } # LINES FILE
same() { [ "$1" = "$2" ] || { echo "'$1' is not '$2'"; return 1; }; }
