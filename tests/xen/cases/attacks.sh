# Apps that take all they can get: their guest goes on serving, and ends when it is told to.

# Entering takes seconds, with a process more than the one that is asked for; so does the end.
still_serves() {
	before=$(cut -d. -f1 /proc/uptime)
	for i in 1 2; do
		enter sh -c '(ls -d /tmp); exit 5' </dev/null >$OUT/entered
		expect "enter $i" "5 /tmp" "$? $(cat $OUT/entered)" || return 1
	done
	(cd "$(poddir)" && stage1/rootfs/stop "$(uuid)") || return 1
	finish
	expect status 0 "$(status)" || return 1
	took=$(($(cut -d. -f1 /proc/uptime) - before))
	[ $took -lt 80 ] || fail "two commands and the end took $took s"
}

t_attack_by_a_fork_bomb() {
	start 'mkfifo /tmp/f; b() { b | b & b; }; b 2>/dev/null & echo up; exec 3<>/tmp/f; read x <&3' || return 1
	wait_for "it to have all it gets" sh -c "cd $(poddir) && stage1/rootfs/enter --pid=1 --appname=app -- \
		sh -c '[ \$(cut -d/ -f2 /proc/loadavg | cut -d\" \" -f1) -gt 250 ]' </dev/null" || return 1
	still_serves
}

# One that eats what there is, again and again, and many at once.
t_attack_on_memory() {
	start 'echo up; while :; do tail /dev/zero; done' || return 1
	wait_for "one to be killed" grep -q Killed $OUT/stderr || return 1
	still_serves || return 1
	grep -q "^stage1 run: app 'app': out of memory (no limit of its own: the pod's is used up)" $OUT/stderr ||
		fail "$(cat $OUT/stderr)" || return 1
	start 'echo up; while :; do tail /dev/zero & done' || return 1
	sleep 3
	still_serves
}
