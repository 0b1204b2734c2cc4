# Idle pods of 40 MiB, one after the other, PODS of them (40): the start of the last three against that of the first
# three, and what they cost dom0 while they do nothing.

growth_pod() { # KEY
	rm -f $OUT/growth
	t=$(now)
	stage0 run --insecure-options=image --dir=$DATA --stage1-path=$STAGE1 --net=none --pod-annotation=stage1-xen/memory=40Mi \
		$IMAGE -- -c 'echo up; sleep 3000' >$OUT/growth 2>$OUT/pod.err &
	wait_for "the app to start" grep -q ': up$' $OUT/growth || { cat $OUT/pod.err >&2; return 1; }
	note $1 $(($(now) - t))
}

dom0_seconds() { xl list 0 | awk 'NR == 2 { print $6 }'; }

growth_round() {
	! has growth-pods || return 0 # once is long enough
	pods=${PODS:-40}
	for i in $(seq "$pods"); do
		if [ "$i" -le 3 ]; then
			growth_pod growth-first
		elif [ "$i" -gt $((pods - 3)) ]; then
			growth_pod growth-last
		else
			growth_pod growth-between
		fi || { echo "bench: $i pods at most" >&2; break; }
	done
	sleep 5
	before=$(dom0_seconds)
	sleep 20
	note growth-idle $(awk -v a="$before" -v b="$(dom0_seconds)" 'BEGIN { printf "%.1f", (b - a) / 20 * 1000 }')
	note growth-pods "$(xl list | grep -c rkt-)"
	kill -TERM $(cat $DATA/pods/run/*/pid)
	wait
	before=$(dom0_seconds)
	sleep 20
	note growth-nothing $(awk -v a="$before" -v b="$(dom0_seconds)" 'BEGIN { printf "%.1f", (b - a) / 20 * 1000 }')
}

growth_rows() {
	row "idle pods at once" pods growth-pods
	row "start of the last three" ms growth-last growth-first "of the first three"
	row "CPU of dom0 beside them, per second" ms growth-idle growth-nothing "without any"
}
