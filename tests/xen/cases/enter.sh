# Entering a running pod.

enter() { (cd "$(poddir)" && exec stage1/rootfs/enter --pid=1 --appname=app -- "$@"); }

t_enter_runs_commands_in_the_app() {
	start 'echo kept >/tmp/file; { grep -e CapBnd -e Seccomp: -e NoNewPrivs /proc/self/status; readlink /proc/self/ns/mnt; ls /dev; } >/tmp/rights; echo up; sleep 1000' --environment=COLOR=red || return 1
	TERM=vt220 enter sh -c 'cat /tmp/file; echo "$COLOR $AC_APP_NAME $TERM"; id -u; echo err >&2; pwd; exit 9' </dev/null >$OUT/e.out 2>$OUT/e.err
	expect status 9 $? && expect stdout "kept
red app vt220
0
/" "$(cat $OUT/e.out)" && expect stderr err "$(cat $OUT/e.err)" || return 1
	enter cat <random | cmp - random || { fail "10 MB through it are not the same"; return 1; }
	enter sh -c 'kill -9 $$' </dev/null
	expect "killed by 9" 137 $? || return 1
	enter nope </dev/null 2>$OUT/e.err
	expect "no such command" 254 $? && expect stderr "stage1 enter: exec 'nope': not found in /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" "$(cat $OUT/e.err)" || return 1
	(cd "$(poddir)" && stage1/rootfs/enter --pid=1 --appname=web -- ls) 2>$OUT/e.err
	expect "no such app" 254 $? && expect stderr "stage1 enter: the pod has no app 'web'" "$(cat $OUT/e.err)" || return 1
	# No more rights than the app's (CVE-2019-10144, -10145, -10147).
	rights='grep -e CapBnd -e Seccomp: -e NoNewPrivs /proc/self/status; readlink /proc/self/ns/mnt; ls /dev'
	enter sh -c "$rights" </dev/null >$OUT/entered
	enter sh -c "cat /tmp/rights" </dev/null >$OUT/own
	expect "rights" "$(cat $OUT/own)" "$(cat $OUT/entered)" || return 1
	grep -q 'CapBnd:.*00000000a80425fb' $OUT/entered || { fail "$(cat $OUT/entered)"; return 1; }
	kill -TERM $(supervisor)
	finish
	expect status 0 "$(status)"
}

t_enter_with_a_terminal() {
	start 'echo up; sleep 1000' || return 1
	cat >$OUT/session <<-'END'
		stty rows 33 cols 77
		before=$(stty -a | tail -n 3)
		stage1/rootfs/enter --pid=1 --appname=app -- sh -c 'tty; stty size; cat; exit 5'
		echo "status $?"
		[ "$before" = "$(stty -a | tail -n 3)" ] && echo restored
		stage1/rootfs/enter --pid=1 --appname=app -- sh -c 'echo ready; exec sleep 1000'
		echo "status $?"
		[ "$before" = "$(stty -a | tail -n 3)" ] && echo restored
	END
	{ until grep -q '^33 77' $OUT/typed; do sleep 0.1; done; printf 'word\n'; until grep -q '^word.*' $OUT/typed; do sleep 0.1; done
		printf '\004'; until grep -q ^ready $OUT/typed; do sleep 0.1; done; printf '\003'
		until grep -q 'status 130' $OUT/typed; do sleep 0.1; done; } |
		(cd "$(poddir)" && TERM=vt220 script -qfec "sh $OUT/session" /dev/null) >$OUT/typed
	expect session "/dev/pts/0
33 77
word
word
status 5
restored
ready
^Cstatus 130
restored" "$(tr -d '\r' <$OUT/typed)" || return 1
	kill -TERM $(supervisor)
	finish
}

t_enter_many_times() {
	head -c 1000000 random >$OUT/some
	start 'echo up; sleep 1000' || return 1
	for i in $(seq 20); do
		enter sh -c "cat; echo end $i; exit $i" <$OUT/some >$OUT/many.$i 2>&1 &
		pids="$pids $!"
	done
	i=0
	for pid in $pids; do
		i=$((i + 1))
		wait $pid
		expect "status $i" $i $? || return 1
		expect "output $i" "$({ cat $OUT/some; echo end $i; } | sha256sum)" "$(sha256sum <$OUT/many.$i)" || return 1
	done
	rm -f $OUT/many.*
	n=0
	while [ $n -lt 30 ]; do
		n=$((n + 1))
		enter true </dev/null || return 1
	done
	kill -TERM $(supervisor)
	finish
}

t_enter_and_the_ends_of_either() {
	start 'echo up; sleep 1000' || return 1
	# A killed enter takes its command along.
	enter sh -c 'echo up; exec sleep 7777' </dev/null >$OUT/e.out &
	wait_for "the command" grep -q up $OUT/e.out
	pkill -KILL -f 'rootfs/enter .*7777'
	wait_for "its end" sh -c "! (cd $(poddir) && stage1/rootfs/enter --pid=1 --appname=app -- ps </dev/null | grep -q '[s]leep 7777')" || return 1
	# A slow reader stalls only itself.
	mkfifo $OUT/pipe
	enter cat /random </dev/null >$OUT/pipe &
	slow=$!
	exec 8<$OUT/pipe
	head -c 1000 <&8 >/dev/null
	expect "another" hi "$(enter echo hi </dev/null)" || return 1
	# TERM goes to the command; the pod's end ends everybody.
	rm -f $OUT/e.out
	enter sh -c 'trap "echo got; exit 3" TERM; echo up; while :; do sleep 0.1; done' </dev/null >$OUT/e.out &
	pid=$!
	wait_for "the command" grep -q up $OUT/e.out
	pkill -TERM -f 'rootfs/enter .*echo got'
	wait $pid
	expect "status of the command" 3 $? || return 1
	enter sleep 1001 </dev/null &
	pid=$!
	wait_for "the command" sh -c "(cd $(poddir) && stage1/rootfs/enter --pid=1 --appname=app -- ps </dev/null | grep -q '[s]leep 1001')"
	kill -TERM $(supervisor)
	finish
	wait $pid
	expect "status of what was entered" 143 $? && expect status 0 "$(status)" || return 1
	exec 8<&-
	wait $slow
	enter ls </dev/null 2>$OUT/e.err
	expect "a pod that has ended" 254 $? && expect stderr "stage1 enter: the pod is not running: nobody listens at enter.sock" "$(cat $OUT/e.err)"
}
