# What the cases share. Runs in dom0, in /job, by busybox or dash; sourced by ./run.
#
# A case is a function t_NAME: it returns 0 when all is well and says on stdout what is not. The
# residue check is around each (see run): a case that leaves something behind has failed.

DATA=/tmp/rkt
STAGE1=/job/stage1-xen.aci
IMAGE=/job/app.aci # busybox, a shell as its program; /random is RANDOM_BYTES of noise
OUT=/tmp/case      # scratch of one case
TYPE=${TYPE:-pv}   # of the pods' guests
LIMIT=360          # seconds a case may take: a pod starts in three, on a busy machine in thirty

fail() {
	echo "# $*"
	return 1
}

# expect WHAT WANTED GOT
expect() {
	[ "$2" = "$3" ] || fail "$1: wanted '$2', got '$3'"
}

# pod FLAGS... -- ARGS: a pod of IMAGE in the foreground; its UUID goes to $OUT/uuid.
pod() {
	case " $*" in
	*" --net="*) ;;
	*) set -- --net=none "$@" ;; # a network takes time, and most cases ask for none
	esac
	[ $TYPE = pv ] || set -- --pod-annotation=stage1-xen/type=$TYPE "$@"
	stage0 run --insecure-options=image --dir=$DATA --stage1-path=$STAGE1 --uuid-file-save=$OUT/uuid "$@"
}

# bare FILE...: takes from each line what says whose it is, "[ 12.345678] app[7]: "; one that lacks it is marked, but
# on stderr, where we speak too.
bare() {
	for file in "$@"; do
		awk -v err="${file##*/std}" '{
			if (match($0, /^\[ *[0-9]+\.[0-9][0-9][0-9][0-9][0-9][0-9]\] [a-z0-9-]+\[[0-9]+\]: /))
				print substr($0, RLENGTH + 1)
			else
				print (err == "err" ? "" : "nobody'"'"'s: ") $0
		}' "$file" >$OUT/bare && mv $OUT/bare "$file"
	done
}

# sh_pod SCRIPT [FLAGS...]: FLAGS of the pod or of the image; stdout, stderr and status are left in $OUT.
sh_pod() {
	script=$1
	shift
	pod $IMAGE "$@" -- -c "$script" >$OUT/stdout 2>$OUT/stderr
	echo $? >$OUT/status
	case " $* " in
	*" --interactive "*) ;;
	*) bare $OUT/stdout $OUT/stderr ;;
	esac
}

status() { cat $OUT/status; }
uuid() { cat $OUT/uuid; }
poddir() { echo "$DATA/pods/run/$(uuid)"; }
domain_of() { xl list -v | awk -v u="$1" '$0 ~ u { print $2; exit }'; }
backend() { xenstore-read "/libxl/$(xl domid "rkt-$(uuid)")/stage1-xen/p9-pid"; }
supervisor() { cat "$(poddir)/pid"; }

# start SCRIPT [FLAGS...]: as sh_pod in the background; returns when the app has printed "up".
start() {
	script=$1
	shift
	rm -f $OUT/uuid $OUT/stdout
	pod $IMAGE "$@" -- -c "$script" >$OUT/stdout 2>$OUT/stderr &
	started=$!
	wait_for "the app to start" grep -q ': up$' $OUT/stdout
}

# finish: the status of the pod that start() began
finish() {
	wait $started
	echo $? >$OUT/status
	bare $OUT/stdout $OUT/stderr
}

JOURNAL_WRITER=/lib/systemd/systemd-journal-remote # stage1/podjournal.h

# wait_for WHAT COMMAND...: polls a condition for at most a generous minute or two.
wait_for() {
	what=$1
	shift
	turns=0
	until "$@" >/dev/null 2>&1; do
		turns=$((turns + 1))
		[ $turns -lt 1200 ] || { fail "waited in vain for $what"; return 1; }
		sleep 0.1
	done
}

# again [FLAGS...]: the run entrypoint once more in the last pod's directory, as stage0 would.
again() {
	(
		cd "$(poddir)" || exit 99
		exec 9<.
		flock -x 9
		RKT_LOCK_FD=9 exec stage1/rootfs/init --net=none "$@" "$(uuid)"
	) >$OUT/stdout 2>$OUT/stderr
	echo $? >$OUT/status
	bare $OUT/stdout $OUT/stderr
}

# make_ended_pod [SCRIPT]: a pod directory whose pod has ended, to be spoilt and started again: made
# once, copied each time.
make_ended_pod() {
	mkdir -p $OUT
	sh_pod "${1:-exit 0}"
	[ "$(status)" = 0 ] || { cat $OUT/stderr; return 1; }
	mv $DATA /tmp/ended && mv $OUT/uuid /tmp/ended/uuid
}
ended_pod() {
	cp -a /tmp/ended $DATA
	cp /tmp/ended/uuid $OUT/uuid
}

gc() { (cd "$(poddir)" && exec stage1/rootfs/gc --debug --local-config /etc/rkt "$(uuid)"); }

# One complaint, on one line, with the exit status of our own failures.
expect_refused() {
	expect "exit status" 254 "$(status)" &&
		expect "stderr" "stage1 run: $1" "$(grep '^stage1 run:' $OUT/stderr)"
}

# unchanged FILE: what residue has said in FILE it says again, at the latest a few seconds from now: xenconsoled lets go of
# a dead domain when it hears of its end, and until then `xl list` has it. What differs goes to FILE.diff.
unchanged() {
	for turn in 1 2 3 4 5; do
		[ $turn = 1 ] || sleep 1
		residue >$1.after
		diff $1 $1.after >$1.diff && return
	done
	return 1
}

# Everything a pod could leave in dom0, as text to compare.
residue() {
	echo "domains:"; xl list | awk 'NR > 1 { print $1, $2 }'
	echo "processes:"; ps -eo pid,ppid,comm | awk '$2 != 2 && $1 != 2 { print $3 }' |
		grep -vE '^(ps|awk|sh|grep|sort|run|timeout)$' | sort
	echo "mounts:"; grep -v ' /run/netns ' /proc/self/mounts | sort
	echo "xenstore:"; xenstore-ls -f | grep -vE '^/(local/domain/0/memory|tool)|^/(libxl|vm|local/domain/0/device-model) = ""$' | sort
	echo "netns:"; ls /run/netns 2>/dev/null
	echo "links:"; ip -o link | sed 's/^[0-9]*: //; s/ qlen.*//'; ip -o -4 addr | sed 's/^[0-9]*: //'; ip route
	echo "rules:"; nft list ruleset 2>/dev/null | grep -vE '^(table ip6? nat \{|	chain [A-Z]* \{|		type nat hook.*|	?\})?$'
	echo "localnet:"; cat /proc/sys/net/ipv4/conf/*/route_localnet; ls /run/stage1-xen/route_localnet 2>/dev/null
	echo "leases:"; find /var/lib/cni -type f 2>/dev/null | grep -vE 'last_reserved|lock$'
	echo "files:"; find /run/xen /run/xenstored /var/lib/xen /var/log/xen /tmp /dev/shm -xdev \
		-not -path "$DATA*" -not -path "$OUT*" -not -path '/tmp/residue*' -not -path '/tmp/ended*' \
		-not -path '/var/log/xen/console/*' -not -path '/var/log/xen/xenstored-access.log*' -not -path /run/xenstored/db \
		-not -name domid-history | sort
}
