# A pod's whole life by stage0's verbs, on real domains. What they print at each state, and that they
# are right about it, is tested without Xen (tests/unit/test_pods.sh).

verb() { stage0 --dir=$DATA "$@"; }
words() { awk -v n="$1" -F'\t+' '{ print $n }'; } # a column of list

t_life_of_a_prepared_pod() {
	verb prepare --insecure-options=image --stage1-path=$STAGE1 $IMAGE -- \
		-c 'echo kept >/kept; trap "echo bye; exit" TERM; echo up; while :; do sleep 0.1; done' >$OUT/uuid || return 1
	expect prepared prepared "$(verb list --no-legend | words 4)" || return 1
	stage0 --dir=$DATA run-prepared --net=none "$(uuid)" >$OUT/stdout 2>$OUT/stderr &
	started=$!
	verb status --wait-ready=60s "$(uuid)" >$OUT/ready || return 1
	expect ready "state=running exited=false" "$(grep -e ^state -e ^exited $OUT/ready | tr '\n' ' ' | sed 's/ $//')" &&
		expect pid "pid=$started" "$(grep ^pid $OUT/ready)" &&
		expect listed running "$(verb list --no-legend | words 4)" || return 1
	wait_for "the app to start" grep -q ': up$' $OUT/stdout || return 1
	stage0 --dir=$DATA enter "$(uuid)" sh -c 'cat /kept; exit 4' </dev/null >$OUT/entered 2>>$OUT/stderr
	expect enter "4 kept" "$? $(cat $OUT/entered)" || return 1
	verb status --wait "$(uuid)" >$OUT/waited &
	waiter=$!
	expect stop "\"$(uuid)\"" "$(verb stop "$(uuid)")" || return 1
	wait $waiter || return 1
	finish
	expect status 0 "$(status)" && expect stdout "up
bye" "$(cat $OUT/stdout)" && expect code "state=exited app-app=0" \
		"$(grep -e ^state -e ^app $OUT/waited | tr '\n' ' ' | sed 's/ $//')" || return 1
	verb export "$(uuid)" $OUT/left.aci || return 1
	expect rm "\"$(uuid)\"" "$(verb rm "$(uuid)")" && expect "pods left" "" "$(verb list --no-legend)" || return 1
	pod $OUT/left.aci -- -c 'cat /kept; id -u' >$OUT/stdout 2>$OUT/stderr
	again=$?
	bare $OUT/stdout
	expect "the exported image" "0 kept 0" "$again $(tr '\n' ' ' <$OUT/stdout | sed 's/ $//')" || return 1
	verb gc --grace-period=0s >$OUT/gc 2>&1 && expect "pods left" "" "$(find $DATA/pods -mindepth 2)"
}

t_life_of_a_pod_whose_supervisor_is_killed() {
	start 'echo up; sleep 1000' || return 1
	neighbour=$(uuid)
	first=$started
	cp $OUT/stdout $OUT/first
	start 'echo up; sleep 1000' || return 1
	kill -9 $(supervisor)
	finish
	expect state "state=exited" "$(verb status "$(uuid)" | head -n 1)" || return 1
	verb gc --grace-period=0s >$OUT/gc 2>&1 || { cat $OUT/gc; return 1; }
	expect "its domain" "" "$(domain_of "$(uuid)")" && [ ! -e $DATA/pods/exited-garbage/$(uuid) ] &&
		expect "its neighbour" "state=running" "$(verb status $neighbour | head -n 1)" || return 1
	verb stop --force $neighbour >/dev/null || return 1
	wait $first
	expect "status of one stopped by force" 137 $? && verb rm $neighbour >/dev/null
}

# Of an image whose apps say themselves when they are ready: a child's word is not the app's.
t_a_pod_is_ready_when_its_app_says_so() {
	verb prepare --insecure-options=image --stage1-path=$STAGE1 $IMAGE -- -c 'notify READY=1; echo up
		until test -e /go; do sleep 0.1; done
		exec notify READY=1 -- /bin/sh -c "until test -e /end; do sleep 0.1; done; exit 3"' >$OUT/uuid || return 1
	sed -i 's|"acKind"|"annotations":[{"name":"appc.io/executor/supports-systemd-notify","value":"true"}],&|' \
		$DATA/pods/prepared/$(uuid)/appsinfo/app/manifest
	stage0 --dir=$DATA run-prepared --net=none "$(uuid)" >$OUT/stdout 2>$OUT/stderr &
	started=$!
	wait_for "the app to start" grep -q ': up$' $OUT/stdout || return 1
	stage0 --dir=$DATA enter "$(uuid)" sh -c 'echo $NOTIFY_SOCKET' </dev/null >$OUT/entered 2>>$OUT/stderr
	expect "its socket" "/run/systemd/notify" "$(cat $OUT/entered)" || return 1
	[ ! -L "$(poddir)/stage1/rootfs/rkt/supervisor-status" ] || fail "ready before it said so" || return 1
	stage0 --dir=$DATA enter "$(uuid)" sh -c ': >/go' </dev/null || return 1
	verb status --wait-ready=60s "$(uuid)" >/dev/null || return 1
	expect ready ready "$(readlink "$(poddir)/stage1/rootfs/rkt/supervisor-status")" || return 1
	stage0 --dir=$DATA enter "$(uuid)" sh -c ': >/end' </dev/null # the pod's end may be its own
	finish
	expect status 3 "$(status)" && verb rm "$(uuid)" >/dev/null
}

# Owners that rkt has shifted on disk (--private-users) are the pod's own in the pod, and theirs when it writes.
t_owners_that_rkt_has_shifted() {
	dir=/var/lib/stage1-xen-shifted # ext4: a tmpfs of this kernel cannot map owners
	stage0 --dir=$dir prepare --insecure-options=image --stage1-path=$STAGE1 $IMAGE -- -c 'stat -c "%u:%g" / /root /bin/sh
		echo new >/new && chown web:www /new && stat -c "%u:%g" /new; sync' >$OUT/uuid || return 1
	root=pods/prepared/$(uuid)
	printf 1048576:65536 >$dir/$root/private-users-prepared
	find $dir/$root/stage1/rootfs/opt/stage2/app/rootfs -exec chown -h 1048576:1048576 {} +
	stage0 --dir=$dir run-prepared --net=none "$(uuid)" >$OUT/stdout 2>$OUT/stderr
	echo $? >$OUT/status
	bare $OUT/stdout
	made=$(stat -c %u:%g $dir/pods/run/$(uuid)/stage1/rootfs/opt/stage2/app/rootfs/new)
	stage0 --dir=$dir export "$(uuid)" $OUT/left.aci && kept=$(tar --numeric-owner -tvf $OUT/left.aci rootfs/new | awk '{ print $2 }')
	stage0 --dir=$dir rm "$(uuid)" >/dev/null && rm -r $dir || return 1
	expect status 0 "$(status)" && expect "owners seen" "0:0 0:0 0:0 1000:33 " "$(tr '\n' ' ' <$OUT/stdout)" &&
		expect "owner on disk" 1049576:1048609 "$made" && expect "owner when exported" 1000/33 "$kept" &&
		expect stderr "" "$(cat $OUT/stderr)" || return 1
	# where owners cannot be mapped, the pod runs, and a line says what it sees
	verb prepare --insecure-options=image --stage1-path=$STAGE1 $IMAGE -- -c 'stat -c "%u" /root' >$OUT/uuid || return 1
	printf 1048576:65536 >$DATA/pods/prepared/$(uuid)/private-users-prepared
	chown 1048576 $DATA/pods/prepared/$(uuid)/stage1/rootfs/opt/stage2/app/rootfs/root
	verb run-prepared --net=none "$(uuid)" >$OUT/stdout 2>$OUT/stderr
	bare $OUT/stdout
	expect "owner seen" 1048576 "$(cat $OUT/stdout)" && expect stderr "stage1 run: warning: app 'app': its files are seen with \
the owners of --private-users, for their file system cannot map them (ext4, xfs and btrfs can)" "$(cat $OUT/stderr)" &&
		verb rm "$(uuid)" >/dev/null
}
