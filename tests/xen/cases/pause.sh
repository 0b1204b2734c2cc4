# What rkt has no word for: pods that are held, and what pods use.

COUNTING='trap "echo bye; exit 3" TERM; echo up; while :; do echo tick; sleep 0.1; done'

s0() { stage0 --dir=$DATA "$@"; }
ticks() { grep -c 'tick$' $OUT/stdout; }
more_ticks() { [ "$(ticks)" -gt "$1" ]; }
state_of() { xl list "rkt-$(uuid)" | awk 'NR == 2 { print $5 }'; }
# used KEY: the last number or word of that name in the pod's stats
used() { s0 stats --json "$(uuid)" | sed -n 's/.*"'"$1"'":"*\([^],}"]*\).*/\1/p'; }
# at_least KEY NUMBER
at_least() {
	[ "$(used "$1")" -ge "$2" ] || { fail "$1 is under $2:"; s0 stats --json; return 1; }
}

t_pause_and_resume() {
	start "$COUNTING" || return 1
	expect "stage0 pause" "\"$(uuid)\"" "$(s0 pause "$(uuid)")" || return 1
	case $(state_of) in --p---) ;; *) fail "Xen says $(state_of)" || return 1 ;; esac
	before=$(ticks)
	expect "a second pause" "\"$(uuid)\"" "$(s0 pause "$(uuid)" 2>&1)" || return 1
	cpu=$(used total_ns)
	sleep 2
	expect "cpu while it is paused" "$cpu" "$(used total_ns)" &&
		expect "state in stats" paused "$(used state)" &&
		expect "state for rkt" "state=running" "$(s0 status "$(uuid)" | head -n 1)" || return 1
	[ "$(ticks)" -le $((before + 3)) ] || fail "$before ticks, then $(ticks)" || return 1 # some were on their way
	xl pause "rkt-$(uuid)" # somebody else holds it as well
	expect "stage0 resume" "\"$(uuid)\"" "$(s0 resume "$(uuid)" 2>&1)" || return 1
	wait_for "the app to go on" more_ticks $((before + 10)) || return 1
	expect "a second resume" "\"$(uuid)\"" "$(s0 resume "$(uuid)" 2>&1)" &&
		expect "state in stats" running "$(used state)" || return 1
	s0 stop "$(uuid)" >/dev/null
	finish
	expect status 0 "$(status)" && expect "last line" bye "$(tail -n 1 $OUT/stdout)"
}

# Each way to end a pod: its apps hear it although they were paused.
t_pause_does_not_keep_a_pod_from_its_end() {
	for how in 's0 stop $(uuid)' 'kill -TERM $(backend) $(supervisor)'; do
		start "$COUNTING" || return 1
		s0 pause "$(uuid)" >/dev/null || return 1
		eval "$how" >/dev/null
		finish
		expect "status after $how" 0 "$(status)" && expect "last line" bye "$(tail -n 1 $OUT/stdout)" || return 1
	done
	start "$COUNTING" || return 1
	s0 pause "$(uuid)" >/dev/null && s0 stop --force "$(uuid)" >/dev/null || return 1
	finish
	expect "status after stop --force" 137 "$(status)"
}

t_pause_then_the_supervisor_is_killed_then_gc() {
	start "$COUNTING" || return 1
	s0 pause "$(uuid)" >/dev/null || return 1
	kill -9 $(supervisor)
	finish
	expect status 137 "$(status)" && expect "state" "state=exited" "$(s0 status "$(uuid)" | head -n 1)" &&
		expect "a pause of it" "stage0: pod \"$(uuid)\" is not running
stage0: failed to pause 1 pod(s)" "$(s0 pause "$(uuid)" 2>&1)" || return 1
	gc 2>$OUT/stderr && gc 2>>$OUT/stderr
}

# The domain of a pod that starts is paused too: that is not ours to end.
t_pause_of_a_pod_that_is_not_ready() {
	start "$COUNTING" || return 1
	rm "$(poddir)/stage1/rootfs/rkt/supervisor-status"
	none=$(cat /proc/sys/kernel/random/uuid) # nobody's domain
	expect "stats without a domain" "0 " "$(cd "$(poddir)" && said=$(stage1/rootfs/machine stats "$none" 2>&1); echo "$? $said")" &&
		expect "pause without one" "stage1 machine: the pod has no domain: it is starting or ending" \
			"$(cd "$(poddir)" && stage1/rootfs/machine pause "$none" 2>&1)" || return 1
	for verb in pause resume; do
		expect "$verb" "stage1 machine: the pod is not ready: it is starting or ending" \
			"$(cd "$(poddir)" && stage1/rootfs/machine $verb "$(uuid)" 2>&1)" || return 1
	done
	s0 stop "$(uuid)" >/dev/null
	finish
	expect status 0 "$(status)"
}

t_stats_of_a_pod() {
	start 'dd if=/random of=/tmp/copy bs=64k 2>/dev/null; sync; ping -c 3 -i 0.2 -s 1000 172.16.28.1 >/dev/null; echo up; sleep 1000' \
		--net=default --cpu=2 || return 1
	size=$(stat -c %s /job/random)
	at_least total_ns 100000000 && at_least bytes 60000000 && at_least max_bytes 60000000 && at_least sent_bytes 3000 &&
		at_least received_bytes 3000 && at_least received_packets 3 && at_least read_bytes "$size" &&
		at_least written_bytes "$size" && at_least cpu_ns 10000000 && at_least memory_bytes 1000000 &&
		expect "the backend" "$(backend)" "$(used pid)" && expect "the device" eth0 "$(used name)" || return 1
	s0 stats >$OUT/table
	expect "a line for the pod" "$(cut -c 1-8 $OUT/uuid) running 2" "$(awk 'NR == 2 { print $1, $2, $3 }' $OUT/table)" || return 1
	s0 stop "$(uuid)" >/dev/null
	finish
	expect status 0 "$(status)" && expect "no pods" null "$(s0 stats --json)"
}
