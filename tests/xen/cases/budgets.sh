# What a pod costs dom0, in counts, which are free of noise where times are not. Who needs more says why, here.

BUDGET_PROCESSES=26  # and threads that are started from stage1's exec to the pod's end, 18, and the kernel's own meanwhile
BUDGET_SWITCHES=900 # voluntary context switches of the supervisor and the backend until the app runs: 570 to 680, by load
BUDGET_IDLE=4        # the same in three seconds in which the app does nothing: nobody polls
BUDGET_HYPERCALLS=105 # of dom0's programs, from stage1's exec to the pod's end
BUDGET_XENSTORE=280  # requests of theirs, the same
BUDGET_PSS=4096      # KiB of dom0's memory: the supervisor and the backend, without the guest's own pages

within() { # WHAT BUDGET GOT
	echo "# $1: $3 of $2"
	[ "$3" -le "$2" ] || fail "$1: $3, the budget is $2"
}

forks() { awk '/^processes/ { print $2 }' /proc/stat; }
of_the_pod() { # its processes in dom0
	first=$(backend)
	echo $(supervisor) $first $(cat /proc/$first/task/*/children)
}
switches() { cat $(for pid in $pids; do echo /proc/$pid/task/*/status; done) | awk '/^voluntary/ { n += $2 } END { print n }'; }
pss() {
	for pid in $pids; do
		awk '/^[0-9a-f]+-[0-9a-f]+ / { rings = / \/.*gntdev/ } /^Pss:/ && !rings { sum += $2 } END { print sum + 0 }' /proc/$pid/smaps
	done | awk '{ sum += $1 } END { print sum }'
}

t_budgets() {
	ended_pod
	before=$(forks)
	(cd "$(poddir)" && exec 9<. && RKT_LOCK_FD=9 exec stage1/rootfs/init --net=none "$(uuid)") >/dev/null 2>$OUT/stderr
	within "processes started" $BUDGET_PROCESSES $(($(forks) - before - 4)) || return 1 # the shell's own: four
	rm -rf $DATA
	start 'echo up; kill -STOP $$' || return 1 # so it needs no file any more
	pids=$(of_the_pod)
	within "context switches" $BUDGET_SWITCHES $(switches) || return 1
	within "dom0 memory, KiB" $BUDGET_PSS $(pss) || return 1
	before=$(switches)
	sleep 3
	within "context switches of an idle pod" $BUDGET_IDLE $(($(switches) - before)) || return 1
	kill -TERM $(supervisor)
	finish
	expect status 0 "$(status)"
}

# What a whole life asks of Xen and of xenstored, seen by strace: a request to xenstored begins with a head of 16 bytes.
t_budgets_of_calls() {
	ended_pod
	(cd "$(poddir)" && exec 9<. && RKT_LOCK_FD=9 exec strace -f -qq -yy -e trace=ioctl,write -o $OUT/calls \
		stage1/rootfs/init --net=none "$(uuid)") >/dev/null 2>$OUT/stderr
	expect status 0 $? || return 1
	within "hypercalls" $BUDGET_HYPERCALLS "$(grep -c 'ioctl([0-9]*<[^>]*privcmd' $OUT/calls)" &&
		within "xenstore requests" $BUDGET_XENSTORE "$(grep -c 'write([0-9]*<UNIX-STREAM.*, 16) = 16$' $OUT/calls)"
}
