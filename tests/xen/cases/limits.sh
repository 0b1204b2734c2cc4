# What apps may use and do: size of the machine, cgroups, capabilities, seccomp, devices.

# edited_pod SCRIPT ISOLATORS [NOTES [FLAGS...]]: the ended pod with another script (without double quotes),
# isolators and annotations (JSON, with a comma in front) once more.
edited_pod() {
	[ -d "$DATA" ] || ended_pod
	[ -e $OUT/manifest ] || cp "$(poddir)/pod" $OUT/manifest
	awk -v script="$1" -v isolators="$2" -v notes="$3" '{
		sub(/"exit 0"/, "\"" script "\"")
		sub(/"user":/, "\"isolators\":[" isolators "],\"user\":")
		sub(/"value":"false"}/, "&" notes)
		print }' $OUT/manifest >"$(poddir)/pod"
	shift 2
	[ $# = 0 ] || shift
	again "$@"
}

quantity() { echo "{\"name\":\"resource/$1\",\"value\":{\"limit\":\"$2\"}}"; }
linux() { echo "{\"name\":\"os/linux/$1\",\"value\":$2}"; }
note() { echo ",{\"name\":\"$1\",\"value\":\"$2\"}"; }

t_limits_of_an_app_that_asks_for_nothing() {
	sh_pod '
		grep -E "Cap(Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp:" /proc/self/status
		cat /proc/self/oom_score_adj /proc/self/cgroup
		cd /sys/fs/cgroup && awk '"'{ print (\$1 > 80 * 1024 * 1024 && \$1 < 100 * 1024 * 1024) }'"' memory.max
		cat cpu.max cpu.weight
		echo 1 2>/dev/null >memory.max || echo cgroup is read-only
		nproc; ulimit -n; ulimit -Hn; ulimit -c; umask
		mknod /dev/mine c 1 3 && echo x >/dev/mine && echo null works
		mknod /dev/gnt c 10 $(sed -n "s,\(.*\) xen/gntdev,\1,p" /proc/misc) && cat /dev/gnt
		for n in $(sed -n "s,\(.*\) xen/.*,\1,p" /proc/misc); do
			mknod /dev/x$n c 10 $n; (: </dev/x$n) 2>/dev/null && echo opened $n; (: >/dev/x$n) 2>/dev/null && echo opened $n
		done; test $(ls /dev/x* | wc -l) -ge 3 && echo "tried them"; ls -A /proc/xen 2>/dev/null; ls -d /dev/xen 2>/dev/null
		(mount -t tmpfs x /tmp); echo $?' --user=0
	expect stdout "CapPrm:	00000000a80425fb
CapEff:	00000000a80425fb
CapBnd:	00000000a80425fb
CapAmb:	0000000000000000
NoNewPrivs:	0
Seccomp:	2
0
0::/
1
max 100000
100
cgroup is read-only
1
1024
524288
0
0022
null works
tried them
159" "$(cat $OUT/stdout)" && expect stderr "cat: can't open '/dev/gnt': Operation not permitted
Bad system call" "$(cat $OUT/stderr)"
}

t_limits_that_isolators_set() {
	edited_pod "grep -E 'Cap(Eff|Bnd)|NoNewPrivs|Seccomp:' /proc/self/status; cat /proc/self/oom_score_adj; $(
		)cd /sys/fs/cgroup; cat memory.max cpu.max cpu.weight; nproc; $(
		)free -m | awk 'NR == 2 { print int(\$2 / 20) * 20 }'; mkdir /tmp/d" \
		"$(quantity memory 25Mi),$(quantity cpu 805m),$(linux cpu-shares 512),$(
		linux oom-score-adj 500),$(linux no-new-privileges true),$(
		linux capabilities-retain-set '{"set":["CAP_NET_ADMIN","CAP_SETUID"]}'),$(
		linux seccomp-remove-set '{"set":["mkdir"],"errno":"EXFULL"}')" \
		"$(note stage1-xen/memory 200Mi)$(note stage1-xen/vcpus 2)"
	expect stdout "CapEff:	0000000000001080
CapBnd:	0000000000001080
NoNewPrivs:	1
Seccomp:	2
500
26214400
80500 100000
50
2
180" "$(cat $OUT/stdout)" && expect stderr "mkdir: can't create directory '/tmp/d': Exchange full" "$(cat $OUT/stderr)" &&
		expect status 1 "$(status)"
}

t_limits_of_users_and_of_insecure_options() {
	script='grep -E "Cap(Eff|Bnd)|NoNewPrivs|Seccomp:" /proc/self/status'
	sh_pod "$script" --user=web
	expect stdout "CapEff:	0000000000000000
CapBnd:	00000000a80425fb
NoNewPrivs:	1
Seccomp:	2" "$(cat $OUT/stdout)" || return 1
	again --disable-capabilities-restriction --disable-seccomp
	expect stdout "CapEff:	0000000000000000
CapBnd:	$(sed -n 's/CapBnd:	//p' /proc/self/status)
NoNewPrivs:	0
Seccomp:	0" "$(cat $OUT/stdout)"
}

t_limits_memory_runs_out() {
	edited_pod 'exec tail /dev/zero' "$(quantity memory 24Mi)"
	expect status 137 "$(status)" &&
		expect stderr "stage1 run: app 'app': out of memory (limit 24 MiB)" "$(cat $OUT/stderr)"
}

t_limits_of_the_host() {
	free=$(xl info free_memory)
	edited_pod 'exit 0' "$(quantity memory 100Gi)"
	expect status 254 "$(status)" &&
		expect stderr "stage1 run: the pod needs 105650 MiB of memory, Xen has N MiB free" \
			"$(sed 's/has [0-9]* MiB/has N MiB/' $OUT/stderr)" || return 1
	edited_pod 'exit 0' "" "$(note stage1-xen/memory "$((free + 100))Mi")"
	expect status 254 "$(status)" || return 1
	edited_pod 'exit 0' "" "$(note stage1-xen/vcpus 1000)"
	expect_refused "annotation 'stage1-xen/vcpus': '1000' is not a number from 1 to 64" || return 1
	edited_pod 'exit 0' "$(linux capabilities-retain-set '{"set":["CAP_FLY"]}')"
	expect_refused "app 'app', isolator 'os/linux/capabilities-retain-set': no capability named 'CAP_FLY'"
}

# The least that can be asked for is enough for a static program.
t_limits_of_the_smallest_guest() {
	start 'echo up; exec sleep 1000' --pod-annotation=stage1-xen/memory=24Mi || { cat $OUT/stderr; return 1; }
	expect "MiB of memory" 24 "$(xl list "rkt-$(uuid)" | awk 'NR == 2 { print $3 }')" || return 1
	kill -TERM $(supervisor)
	finish
	expect status 0 "$(status)"
}

# Two apps with different limits, of which nothing leaks into the other; commands that enter have the limits of
# their app, but for its user.
t_limits_of_each_app() {
	see='sed -n "s/CapBnd:.00000000/bnd /p; s/CapEff:.00000000/eff /p; s/Seccomp:./seccomp /p; s/NoNewPrivs:./nnp /p" /proc/self/status
		cat /proc/self/oom_score_adj /sys/fs/cgroup/memory.max; ls -d /sys/fs/cgroup/one /sys/fs/cgroup/two 2>/dev/null'
	rm -f $OUT/uuid
	pod --pod-annotation=stage1-xen/memory=200Mi \
		$IMAGE --name=one --caps-remove=CAP_CHOWN,CAP_NET_RAW --memory=32Mi --oom-score-adj=200 \
		-- -c "{ $see; } >/tmp/seen; until [ -e /tmp/go ]; do sleep 0.1; done" \
		--- $IMAGE --name=two --caps-retain=CAP_KILL,CAP_MKNOD --memory=48Mi --seccomp=mode=retain,@appc.io/all --user=web \
		-- -c "{ $see; } >/tmp/seen; tail /dev/zero; echo \$? >>/tmp/seen; echo up; until [ -e /tmp/go ]; do sleep 0.1; done" \
		>$OUT/stdout 2>$OUT/stderr &
	started=$!
	wait_for "an app that runs out of memory" grep -q up $OUT/stdout
	for app in one two; do
		(cd "$(poddir)" && exec stage1/rootfs/enter --pid=1 --appname=$app -- sh -c "$see
			mknod /dev/gnt c 10 \$(sed -n 's,\(.*\) xen/gntdev,\1,p' /proc/misc) && cat /dev/gnt 2>&1
			echo >/tmp/go") </dev/null >$OUT/entered.$app # the pod's end may be its own
	done
	finish
	root=$(poddir)/stage1/rootfs/opt/stage2
	one="eff a80405fa
bnd a80405fa
nnp 0
seccomp 2
200
33554432"
	two="bnd 08000020
nnp 0
seccomp 0
0
50331648"
	denied="cat: can't open '/dev/gnt': Operation not permitted"
	expect status 0 "$(status)" && expect one "$one" "$(cat $root/one/rootfs/tmp/seen)" &&
		expect "one, entered" "$one
$denied" "$(cat $OUT/entered.one)" && expect two "eff 00000000
$two
137" "$(cat $root/two/rootfs/tmp/seen)" && expect "two, entered" "eff 08000020
$two
$denied" "$(cat $OUT/entered.two)" &&
		expect stderr "stage1 run: app 'two': out of memory (limit 48 MiB)" "$(grep -v Killed $OUT/stderr)"
}

# What an app leaves running ends with it, also while the pod goes on; what has entered it does not.
t_limits_what_an_app_leaves_ends_with_it() {
	rm -f $OUT/uuid
	pod $IMAGE --name=one -- -c 'sleep 987 & echo $! >/dev/shm/left; until [ -e /tmp/go ]; do sleep 0.1; done' \
		--- $IMAGE --name=two -- -c 'until [ -s /dev/shm/left ]; do sleep 0.1; done; echo up
			while kill -0 $(cat /dev/shm/left) 2>/dev/null; do sleep 0.1; done; echo gone
			sleep 1; kill -0 $(cat /dev/shm/entered) && echo stays' >$OUT/stdout 2>$OUT/stderr &
	started=$!
	wait_for "what is left" grep -q up $OUT/stdout
	(cd "$(poddir)" && exec stage1/rootfs/enter --pid=1 --appname=one -- \
		sh -c 'echo $$ >/dev/shm/entered; echo >/tmp/go; exec sleep 987') </dev/null >/dev/null 2>&1 &
	finish
	wait
	expect status 0 "$(status)" && expect stdout "up
gone
stays" "$(sed 's/^[a-z]*\[[0-9]*\]: //' $OUT/stdout)"
}

# What does not end by TERM gets KILL when half of the time is over, so that post-stop has its turn: here when the
# supervisor is gone, as that is the shortest time of all.
t_limits_leftovers_that_ignore_term() {
	several 'app=["sh","-c","trap \"\" TERM; sleep 987 & p=$!; trap exit TERM; echo $p >/up; while :; do sleep 0.1; done"],
		"eventHandlers":[{"name":"post-stop","exec":["/bin/sh","-c","kill -0 $(cat /up) 2>/dev/null && echo lives >/post || echo gone >/post"]}]' &
	started=$!
	wait_for "the app" sh -c "test -e $DATA/pods/run/*/stage1/rootfs/opt/stage2/app/rootfs/up" || return 1
	kill -9 $(supervisor)
	wait $started
	wait_for "post-stop" test -s "$(poddir)/stage1/rootfs/opt/stage2/app/rootfs/post" || return 1
	expect "what it left" gone "$(cat "$(poddir)/stage1/rootfs/opt/stage2/app/rootfs/post")" || return 1
	gc 2>$OUT/stderr
}
