# A running pod is entered, and ends: by stop, or by gc when its supervisor was killed. Beside it the least that there
# can be: a program of its root started in dom0, a domain of the same kernel, built and never run, destroyed by xl.

ends_pod() { # stop|gc
	ready_pod own
	then_run 'sleep 1000'
	run_again >$OUT/stdout 2>$OUT/stderr &
	started=$!
	wait_for "the pod" grep -q up $OUT/stdout || return 1
	for turn in 1 2 3; do
		t=$(now)
		(cd "$(poddir)" && exec stage1/rootfs/enter --pid=1 --appname=app -- true) </dev/null || return 1
		note enter $(($(now) - t))
		t=$(now)
		chroot "$(poddir)/stage1/rootfs/opt/stage2/app/rootfs" /bin/true </dev/null || return 1
		note chroot $(($(now) - t))
	done
	[ $1 = stop ] || { kill -9 $(supervisor); wait $started; }
	t=$(now)
	(cd "$(poddir)" && exec stage1/rootfs/$1 "$(uuid)") || return 1
	wait $started
	note $1 $(($(now) - t))
	rm -rf $DATA
}

ends_domain() {
	cat >$OUT/xl.cfg <<-END
		name = "bench"
		kernel = "/job/vmlinux"
		ramdisk = "/job/bench-initramfs"
		memory = 128
		vcpus = 1
		extra = "console=hvc0 loglevel=4"
	END
	xl create -q -p $OUT/xl.cfg 2>$OUT/xl.err || { cat $OUT/xl.err >&2; return 1; }
	t=$(now)
	xl destroy bench && wait_for "the domain to go" sh -c '! xl domid bench' || return 1
	note destroy $(($(now) - t))
}

ends_round() { ends_pod stop && ends_pod gc && ends_domain; }
ends_rows() {
	row "enter -- /bin/true, and back" ms enter chroot "chroot in dom0"
	row "stop of an app that ends by TERM, until exited" ms stop destroy "xl destroy of a plain domain"
	row "gc of a pod whose supervisor was killed" ms gc destroy "xl destroy of a plain domain"
}
