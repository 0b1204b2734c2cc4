# Proportional memory of all dom0 processes a pod needs; without the guest's own pages, which the rings are.

pod_pss() { # KEY BACKEND
	ready_pod $2
	then_run 'sleep 1000'
	run_again >$OUT/stdout 2>$OUT/stderr &
	started=$!
	wait_for "the pod" grep -q up $OUT/stdout || return 1
	note $1 $(for pid in $(supervisor) $(backends $2); do
		awk '/^[0-9a-f]+-[0-9a-f]+ / { rings = / \/.*gntdev/ } /^Pss:/ && !rings { sum += $2 } END { print sum + 0 }' /proc/$pid/smaps
	done | awk '{ sum += $1 } END { print sum }')
	kill -TERM $(supervisor)
	wait $started
	rm -rf $DATA
}
backends() {
	id=$(xl domid "rkt-$(uuid)")
	if [ $1 = own ]; then
		first=$(xenstore-read "/libxl/$id/stage1-xen/p9-pid")
		echo $first $(cat /proc/$first/task/*/children)
	else
		xenstore-read "/local/domain/$id/image/device-model-pid"
	fi
}

memory_round() { pod_pss pss own && pod_pss pss-qemu qemu; }
memory_rows() { row "dom0 memory of a pod, PSS of its processes" KiB pss pss-qemu "with QEMU"; }
