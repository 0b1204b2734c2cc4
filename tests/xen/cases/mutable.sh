# Mutable pods: apps come and go while the pod runs. Here the entrypoints are called as rkt's stage0 calls them.

# manifest NAME...: of these apps, each of which was described by describe()
manifest() {
	list=
	for name in "$@"; do
		list="$list${list:+,}$(cat $OUT/app.$name)"
	done
	printf '{"acVersion":"1.30.0","acKind":"PodManifest","apps":[%s],"volumes":null,"isolators":null,"annotations":[{"name":"coreos.com/rkt/stage1/mutable","value":"true"}],"ports":[]}' \
		"$list" >"$(poddir)/pod.new" && mv "$(poddir)/pod.new" "$(poddir)/pod"
}

# describe NAME SCRIPT [MORE]: an app of the manifest; MORE is of its object
describe() {
	printf '{"name":"%s","image":{"id":"sha512-%0128d"},"app":{"exec":["/bin/sh","-c","%s"],"user":"0","group":"0"%s}%s}' \
		"$1" 0 "$2" "$4" "${3:+,$3}" >$OUT/app.$1
}

# give_root NAME: an overlay of its own over the image's root, mounted in dom0 as rkt does
give_root() {
	dir=$(poddir)
	mkdir -p "$dir/stage1/rootfs/opt/stage2/$1/rootfs" "$dir/layers/$1/upper" "$dir/layers/$1/work" "$dir/appsinfo/$1"
	cp "$dir/appsinfo/app/manifest" "$dir/appsinfo/$1/manifest"
	mount -t overlay overlay -o "lowerdir=$dir/stage1/rootfs/opt/stage2/app/rootfs,upperdir=$dir/layers/$1/upper,workdir=$dir/layers/$1/work" \
		"$dir/stage1/rootfs/opt/stage2/$1/rootfs"
}

# entry add|start|stop|rm NAME: the crossing entrypoint; its complaint is in $OUT/entry
entry() {
	(cd "$(poddir)" && exec env -i PATH="$PATH" "$(poddir)/stage1/rootfs/app_$1" --debug=false --app="$2") </dev/null >$OUT/entry 2>&1
}

# add NAME SCRIPT [MORE [OF_APP]]: beside those in $apps
add() {
	describe "$@"
	apps="$apps $1"
	manifest $apps && give_root "$1" && entry add "$1" || { cat $OUT/entry; return 1; }
}

# sandbox [FLAGS...]: a pod without apps, in the background, that is ready
sandbox() {
	ended_pod
	apps=
	rm -f "$(poddir)/stage1/rootfs/rkt/status/"*
	manifest
	again --mutable "$@" &
	started=$!
	wait_for "the pod to be ready" readlink "$(poddir)/stage1/rootfs/rkt/supervisor-status"
}

# free_roots: of $apps, as gc would
free_roots() {
	for name in $apps; do
		umount "$(poddir)/stage1/rootfs/opt/stage2/$name/rootfs" || fail "the root of $name is busy" || return 1
	done
}

status_file() { cat "$(poddir)/stage1/rootfs/rkt/status/$1" 2>/dev/null; }
stop_sandbox() {
	(cd "$(poddir)" && stage1/rootfs/stop "$(uuid)") && wait $started
}

# held NAME: how many descriptors the backend has in that app's root
held() {
	dev=$(stat -c %d "$(poddir)/stage1/rootfs/opt/stage2/$1/rootfs")
	for pid in $(backend) $(ps -o pid= --ppid "$(backend)"); do
		for fd in /proc/$pid/fd/*; do
			stat -Lc %d $fd 2>/dev/null
		done
	done | grep -cx "$dev"
}

t_mutable_apps_come_and_go() {
	sandbox || return 1
	add one 'echo I am one; cat /etc/passwd >/kept; exit 7' && add two 'trap \"echo bye; exit 3\" TERM; echo up; while :; do sleep 0.1; done' || return 1
	expect "before its start" "" "$(status_file one)" || return 1
	entry start one && entry start two || { cat $OUT/entry; return 1; }
	wait_for "the end of one" test -s "$(poddir)/stage1/rootfs/rkt/status/one"
	expect "status of one" 7 "$(status_file one)" && expect "status of two" "" "$(status_file two)" || return 1
	wait_for "two" grep -q 'two.*: up$' $OUT/stdout
	wait_for "its line" grep -q 'one.*: I am one$' $OUT/stdout || { fail "$(cat $OUT/stdout)"; return 1; }
	wait_for "what one wrote in its layer: the guest writes it out in its own time" test -s "$(poddir)/layers/one/upper/kept" || return 1
	# again: rkt removes the status first
	rm "$(poddir)/stage1/rootfs/rkt/status/one"
	entry start one || { cat $OUT/entry; return 1; }
	wait_for "its end again" test -s "$(poddir)/stage1/rootfs/rkt/status/one"
	wait_for "its line again" sh -c "[ \$(grep -c 'I am one' $OUT/stdout) = 2 ]" || return 1
	# who runs is not removed; stop waits for the end and leaves the status
	entry rm two
	expect "rm of one that runs" 254 $? && expect complaint "stage1 app: app 'two': it is running: stop it first" "$(cat $OUT/entry)" || return 1
	entry stop two || { cat $OUT/entry; return 1; }
	expect "status of two" 3 "$(status_file two)" || return 1
	entry stop two && entry stop nobody && entry rm nobody || { cat $OUT/entry; return 1; }
	[ "$(held two)" -gt 0 ] || { fail "nothing is held: this looks at the wrong place"; return 1; }
	entry rm two || { cat $OUT/entry; return 1; }
	expect "what the backend holds of two" 0 "$(held two)" || return 1
	umount "$(poddir)/stage1/rootfs/opt/stage2/two/rootfs" || { fail "its root is busy"; return 1; }
	apps=" one"
	manifest $apps
	# its name and its place are free
	add two 'echo I am the second; exec sleep 1000' || return 1
	entry start two || { cat $OUT/entry; return 1; }
	wait_for "the second" grep -q 'I am the second' $OUT/stdout
	stop_sandbox
	expect status 0 "$(status)" && expect "status of two" 0 "$(status_file two)" || { cat $OUT/stderr; return 1; }
	free_roots
}

t_mutable_volumes() {
	mkdir -p $OUT/vol && echo "of the host" >$OUT/vol/file
	sandbox || return 1
	empty='{"volume":"shared","path":"/shared","appVolume":{"name":"shared","kind":"empty"}}'
	add one 'cat /mnt/file; echo nope >/mnt/x; echo from one >/shared/word; exit 0' \
		"\"mounts\":[{\"volume\":\"v\",\"path\":\"/mnt\",\"appVolume\":{\"name\":\"v\",\"kind\":\"host\",\"source\":\"$OUT/vol\",\"readOnly\":true}},$empty]" &&
		add two 'cat /shared/word /dev2' "\"mounts\":[{\"volume\":\"n\",\"path\":\"/dev2\",\"appVolume\":{\"name\":\"n\",\"kind\":\"host\",\"source\":\"/dev/null\"}},$empty]" || return 1
	entry start one && wait_for "one" test -s "$(poddir)/stage1/rootfs/rkt/status/one" &&
		entry start two && wait_for "two" test -s "$(poddir)/stage1/rootfs/rkt/status/two" || { cat $OUT/entry; return 1; }
	wait_for "one's line" grep -q 'one.*: of the host$' $OUT/stdout && wait_for "its error" grep -q 'one.*Read-only file system' $OUT/stderr &&
		wait_for "two's line" grep -q 'two.*: from one$' $OUT/stdout || { fail "$(cat $OUT/stdout)"; return 1; }
	expect "status of two" 0 "$(status_file two)" || return 1
	describe bad 'true' "\"mounts\":[{\"volume\":\"b\",\"path\":\"/b\",\"appVolume\":{\"name\":\"b\",\"kind\":\"host\",\"source\":\"/nowhere\"}}]"
	manifest $apps bad && give_root bad
	entry add bad
	expect "a volume that is not there" 254 $? &&
		expect complaint "stage1 app: app 'bad', volume 'b': Failed to stat /nowhere: No such file or directory" "$(cat $OUT/entry)" || return 1
	entry stop bad && entry rm bad || { cat $OUT/entry; return 1; } # as rkt does to undo it
	umount "$(poddir)/stage1/rootfs/opt/stage2/bad/rootfs" || { fail "its root is busy"; return 1; }
	stop_sandbox
	expect status 0 "$(status)" || { cat $OUT/stderr; return 1; }
	free_roots
}

t_mutable_what_is_refused() {
	sandbox || return 1
	describe big 'true' '' ',"isolators":[{"name":"resource/memory","value":{"limit":"1Gi","request":"1Gi"}}]'
	manifest big && give_root big
	entry add big
	expect "too large" 254 $? && expect complaint "stage1 app: app 'big': its limit of 1024 MiB does not fit: of the 84 MiB that the pod's machine has for apps 0 are promised. The pod's annotation 'stage1-xen/memory' says how large that is" "$(cat $OUT/entry)" || return 1
	entry add nobody
	expect "not in the manifest" 254 $? && expect complaint "stage1 app: the pod's manifest has no app 'nobody'" "$(cat $OUT/entry)" || return 1
	entry start nobody
	expect "not added" 254 $? && expect complaint "stage1 app: the pod has no app 'nobody'" "$(cat $OUT/entry)" || return 1
	umount "$(poddir)/stage1/rootfs/opt/stage2/big/rootfs"
	add none 'true' && sed -i 's,/bin/sh,/bin/nope,' "$(poddir)/pod" $OUT/app.none
	entry add none
	expect "twice" 254 $? && expect complaint "stage1 app: app 'none': it is there already" "$(cat $OUT/entry)" || return 1
	entry rm none && entry add none && entry start none
	expect "what cannot start" 254 $? || return 1
	expect "its status" 203 "$(status_file none)" || return 1
	pkill -KILL -f "rootfs/init .*$(uuid)" # with its supervisor gone nobody is asked
	wait $started
	entry start none
	expect "after the end" 254 $? && expect complaint "stage1 app: no mutable pod runs here: nobody listens at app.sock" "$(cat $OUT/entry)" || return 1
	umount "$(poddir)/stage1/rootfs/opt/stage2/none/rootfs" || { fail "its root is busy"; return 1; }
	gc 2>/dev/null
}

# Limits that the machine has no memory and processors for, but may get: what the guest has then, and what not even it may.
t_mutable_memory_grows() {
	begin_sandbox --net=default --annotation=stage1-xen/memory-max=400Mi --annotation=stage1-xen/vcpus-max=2 || return 1
	memory() { xl list "rkt-$(uuid)" | awk 'NR == 2 { print $3 }'; }
	before=$(memory)
	app add "$(uuid)" $IMAGE --name=small --memory=32Mi --cpu=1 -- -c 'echo up $(nproc); exec sleep 1000' || { cat $OUT/app.err; return 1; }
	expect "memory with what fits" "$before" "$(memory)" || return 1
	app start "$(uuid)" --app=small || { cat $OUT/app.err; return 1; }
	app add "$(uuid)" $IMAGE --name=large --memory=200Mi --cpu=500m -- -c 'nproc; ping -c 1 172.16.28.1 >/dev/null && echo pong; dd if=/dev/zero of=/dev/null bs=130M count=1 2>/dev/null && echo it fits; cat /sys/fs/cgroup/memory.max' || { cat $OUT/app.err; return 1; }
	[ "$(memory)" -ge 280 ] || { fail "the guest has $(memory) MiB"; return 1; }
	app start "$(uuid)" --app=large || { cat $OUT/app.err; return 1; }
	wait_for "the end of large" test -s "$(poddir)/stage1/rootfs/rkt/status/large"
	expect "status of large" 0 "$(cat "$(poddir)/stage1/rootfs/rkt/status/large")" || { cat $OUT/stderr; return 1; }
	wait_for "its last line" grep -q ': 209715200$' $OUT/stdout
	bare $OUT/stdout
	expect "what the apps say" "up 1
2
pong
it fits
209715200" "$(cat $OUT/stdout)" || return 1
	app add "$(uuid)" $IMAGE --name=huge --memory=1Gi -- -c true
	expect "too large" 254 $?
	grep -qE "app 'huge': its limit of 1024 MiB does not fit: of the [0-9]+ MiB that the pod's machine has for apps 232 are promised. The pod's annotation 'stage1-xen/memory-max' says how large that is" $OUT/app.err || { fail "$(cat $OUT/app.err)"; return 1; }
	stage0 stop --dir=$DATA "$(uuid)" >/dev/null
	wait $started
	expect status 0 $? || { cat $OUT/stderr; return 1; }
	stage0 rm --dir=$DATA "$(uuid)" >/dev/null
}

app() { RKT_EXPERIMENT_APP=true stage0 app --insecure-options=image --dir=$DATA "$@" >$OUT/app.out 2>$OUT/app.err; }
states() { app list --no-legend "$(uuid)" && tr '\t' ' ' <$OUT/app.out | tr -s ' '; }

# begin_sandbox FLAGS...: the same by our stage0
begin_sandbox() {
	rm -f $OUT/uuid
	RKT_EXPERIMENT_APP=true stage0 app sandbox --insecure-options=image --dir=$DATA --stage1-path=$STAGE1 \
		--uuid-file-save=$OUT/uuid "$@" >$OUT/stdout 2>$OUT/stderr &
	started=$!
	wait_for "a UUID" test -s $OUT/uuid
	stage0 status --dir=$DATA --wait-ready=120s "$(uuid)" >/dev/null || fail "it is not ready"
}

# The whole life by our stage0, with overlays as rkt has them and without.
mutable_life() {
	begin_sandbox --net=none "$@" || return 1
	app add "$(uuid)" $IMAGE --name=one -- -c 'echo I am one; echo kept >/kept; exit 4' &&
		app add "$(uuid)" $IMAGE --name=two -- -c 'echo up; exec sleep 1000' || { cat $OUT/app.err; return 1; }
	expect "states" "one created
two created" "$(states)" || return 1
	app start "$(uuid)" --app=one && app start "$(uuid)" --app=two || { cat $OUT/app.err; return 1; }
	wait_for "the end of one" sh -c "RKT_EXPERIMENT_APP=true stage0 app --dir=$DATA status $(uuid) --app=one | grep -q exit_code=4"
	wait_for "two" grep -q 'two.*: up$' $OUT/stdout
	expect "states" "one exited
two running" "$(states)" || return 1
	app rm "$(uuid)" --app=one || { cat $OUT/app.err; return 1; }
	# two is the first in the manifest now, and the guest's second
	app exec --app=two "$(uuid)" sh -c 'ps | grep -c "[s]leep 1000"; ls /kept'
	expect "in two" 1 "$(cat $OUT/app.out)" || { cat $OUT/app.err; return 1; }
	app add "$(uuid)" $IMAGE --name=one -- -c 'ls /kept' && app start "$(uuid)" --app=one || { cat $OUT/app.err; return 1; }
	wait_for "the end of the new one" sh -c "RKT_EXPERIMENT_APP=true stage0 app --dir=$DATA status $(uuid) --app=one | grep -q state=exited"
	grep -q 'one.*ls: /kept: No such file' $OUT/stderr || { fail "the new one has the old one's files"; cat $OUT/stderr; return 1; }
	app stop "$(uuid)" --app=two || { cat $OUT/app.err; return 1; }
	expect "states" "two exited
one exited" "$(states)" || return 1
	stage0 stop --dir=$DATA "$(uuid)" >/dev/null
	wait $started
	expect status 0 $? || { cat $OUT/stderr; return 1; }
	stage0 rm --dir=$DATA "$(uuid)" >/dev/null
}

t_mutable_life_by_stage0() { mutable_life; }
t_mutable_life_with_overlays() { mutable_life --no-overlay=false; }
