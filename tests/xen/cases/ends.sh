# Ends that somebody else brings about: signals, dead domains, dead processes.

# As systemd stops a unit: the backend gets TERM too, and goes on until the guest has ended.
t_term_stops_the_apps_in_order() {
	start 'trap "echo bye; exit 3" TERM; echo up; while :; do sleep 0.1; done' || return 1
	kill -TERM $(backend) $(supervisor)
	finish
	expect status 0 "$(status)" && expect stdout "up
bye" "$(cat $OUT/stdout)" && expect file 0 "$(cat "$(poddir)/stage1/rootfs/rkt/status/app")"
}

t_int_does_the_same() {
	start 'echo up; sleep 1000' || return 1
	kill -INT $(supervisor)
	finish
	expect status 0 "$(status)"
}

t_term_before_the_guest_runs() {
	pod $IMAGE -- -c 'echo up' >$OUT/stdout 2>$OUT/stderr &
	wait_for "the pid file" sh -c "cat $DATA/pods/run/*/pid"
	kill -TERM $(supervisor)
	wait $!
	expect status 0 $? && expect stdout "" "$(cat $OUT/stdout)"
}

t_term_twice_destroys_a_pod_that_will_not_stop() {
	start 'trap "" TERM; echo up; while :; do sleep 1; done' || return 1
	kill -TERM $(supervisor)
	sleep 1
	kill -TERM $(supervisor)
	finish
	expect_refused 'asked twice to stop: the pod is destroyed'
}

t_the_stop_entrypoint_asked_twice() {
	start 'trap "sleep 2; echo bye; exit" TERM; echo up; while :; do sleep 0.1; done' || return 1
	(cd "$(poddir)" && stage1/rootfs/stop "$(uuid)" && stage1/rootfs/stop "$(uuid)") || return 1
	finish
	expect status 0 "$(status)" && expect stdout "up
bye" "$(cat $OUT/stdout)"
}

t_stop_of_a_pod_that_has_ended() {
	ended_pod
	(cd "$(poddir)" && stage1/rootfs/stop "$(uuid)" && stage1/rootfs/stop --force "$(uuid)")
}

t_stop_by_force() {
	start 'trap "" TERM; echo up; while :; do sleep 1; done' || return 1
	(cd "$(poddir)" && stage1/rootfs/stop --force "$(uuid)") || return 1
	finish
	expect status 137 "$(status)"
}

t_domain_destroyed_while_it_runs() {
	start 'echo up; sleep 1000' || return 1
	xl destroy "rkt-$(uuid)"
	finish
	expect_refused 'the guest was destroyed'
}

t_guest_kernel_panics() {
	# 2: also when an app's limit is used up, before which the guest does not thrash
	sh_pod 'echo 2 >/proc/sys/vm/panic_on_oom; tail /dev/zero' --insecure-options=paths --memory=20Mi \
		--pod-annotation=stage1-xen/core=150Mi
	expect status 254 "$(status)" && expect stderr "stage1 run: the guest's memory is in the pod's directory: core
stage1 run: the guest crashed" "$(grep '^stage1 run:' $OUT/stderr)" || return 1
	grep -q '^guest: .*panic_on_oom' $OUT/stderr || fail "the last words of the kernel are missing" || return 1
	core=$(poddir)/core
	expect core "7f 45 4c 46 600" "$(head -c 4 "$core" | od -An -tx1 | sed 's/^ *//') $(stat -c %a "$core")" || return 1
	[ "$(stat -c %s "$core")" -gt $((120 << 20)) ] || fail "a core of $(stat -c %s "$core") bytes"
}

t_xl_shutdown_is_an_orderly_stop() {
	start 'trap "echo bye; exit 3" TERM; echo up; while :; do sleep 0.1; done' || return 1
	xl shutdown "rkt-$(uuid)" >/dev/null 2>&1
	finish
	expect status 3 "$(status)" && expect stdout "up
bye" "$(cat $OUT/stdout)"
}

t_xl_reboot_stops_the_pod_too() {
	start 'trap "echo bye; exit 3" TERM; echo up; while :; do sleep 0.1; done' || return 1
	xl reboot "rkt-$(uuid)" >/dev/null 2>&1
	finish
	expect status 3 "$(status)" && expect stdout "up
bye" "$(cat $OUT/stdout)"
}

t_backend_killed() {
	start 'echo up; sleep 1000' || return 1
	kill -9 "$(backend)"
	finish
	expect_refused "the process that serves the pod's file systems died"
}

t_supervisor_killed_then_gc() {
	start 'echo up; sleep 1000' || return 1
	id=$(xl domid "rkt-$(uuid)")
	kill -9 $(supervisor)
	finish
	expect status 137 "$(status)" || return 1
	again
	expect_refused "the pod already has a domain, number $id: gc removes it once the pod has ended" || return 1
	# The guest notices, ends its apps and powers off; its domain waits for gc.
	wait_for "the guest to power off" sh -c "xl list $id | grep -q -- '--[ps]s\|---s'"
	gc 2>$OUT/stderr && gc 2>>$OUT/stderr # the second has nothing to do
}

t_supervisor_killed_while_it_builds_then_gc() {
	for delay in 0.2 0.6 1.2 2.0 3.0; do
		pod $IMAGE -- -c 'sleep 1000' >$OUT/stdout 2>$OUT/stderr &
		wait_for "the pid file" sh -c "cat $DATA/pods/run/*/pid"
		sleep $delay
		kill -9 $(supervisor)
		wait $!
		gc 2>>$OUT/stderr || return 1
		rm -rf $DATA
	done
}

t_two_pods_at_once() {
	pod $IMAGE -- -c 'echo one; sleep 2; exit 1' >$OUT/one 2>$OUT/stderr &
	one=$!
	stage0 run --net=none --insecure-options=image --dir=$DATA --stage1-path=$STAGE1 $IMAGE -- -c 'echo two; sleep 2; exit 2' >$OUT/two 2>$OUT/stderr2 &
	two=$!
	wait $one
	expect "first status" 1 $? || return 1
	wait $two
	expect "second status" 2 $? && bare $OUT/one $OUT/two && expect first one "$(cat $OUT/one)" && expect second two "$(cat $OUT/two)"
}
