# Idle pods of 40 MiB, one after the other, PODS of them (40): the start of the last three against that of the first
# three, from stage1's exec to the app's first word, and what they cost dom0 while they do nothing.

# All share the files of one that has ended, by hard links: dom0 has no room for 40 kernels, and on a host stage0's
# and rkt's overlays share them too.
growth_template() {
	ready_pod own
	template=$OUT/template
	mv "$(poddir)" $template
	rm -f $template/pid $template/stage1/rootfs/rkt/status/*
	awk '{ sub(/"value":"false"}/, "&,{\"name\":\"stage1-xen/memory\",\"value\":\"40Mi\"}"); print }' $template/pod >$OUT/pod &&
		mv $OUT/pod $template/pod
	echo 'sleep 3000' >$template/stage1/rootfs/opt/stage2/app/rootfs/then
}

growth_pod() { # KEY
	uuid=$(cat /proc/sys/kernel/random/uuid)
	cp -al $template $DATA/pods/run/$uuid
	t=$(now)
	(
		cd $DATA/pods/run/$uuid || exit 1
		exec 9<.
		RKT_LOCK_FD=9 exec stage1/rootfs/init --net=none $uuid
	) 2>$OUT/pod.err | { read -r line; echo "$line" >$OUT/first; exec cat >/dev/null; } &
	read -r line <$OUT/first
	[ "$line" ] || { cat $OUT/pod.err >&2; return 1; }
	note $1 $(($(now) - t))
}

dom0_seconds() { xl list 0 | awk 'NR == 2 { print $6 }'; }
growth_cpu() { # KEY: ms a second
	sleep 5 # what was just begun or ended
	before=$(dom0_seconds)
	sleep 20
	note $1 $(awk -v a="$before" -v b="$(dom0_seconds)" 'BEGIN { printf "%.1f", (b - a) / 20 * 1000 }')
}

growth_round() {
	! has growth-pods || return 0 # once is long enough
	growth_template
	mkfifo $OUT/first
	growth_cpu growth-nothing
	pods=${PODS:-40}
	for i in $(seq "$pods"); do
		key=growth-between
		[ "$i" -gt 3 ] || key=growth-first
		[ "$i" -le $((pods - 3)) ] || key=growth-last
		growth_pod $key || { echo "bench: $i pods at most" >&2; break; }
		echo "bench: pod $i: $(tail -n 1 $BENCH/$key) ms" >&2
	done
	growth_cpu growth-idle
	note growth-pods "$(xl list | grep -c rkt-)"
	kill -TERM $(cat $DATA/pods/run/*/pid)
	wait
	rm -rf $template $OUT/first
}

growth_rows() {
	row "idle pods at once" pods growth-pods
	row "start of the last three" ms growth-last growth-first "of the first three"
	row "CPU of dom0 beside them, per second" ms growth-idle growth-nothing "without any"
}
