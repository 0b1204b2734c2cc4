# From stage1's exec to the app's first word, against `xl create` of the same kernel to its init's.

pod_start() { # KEY BACKEND
	ready_pod $2
	t=$(now)
	run_again 2>$OUT/pod.err | { read -r line || { cat $OUT/pod.err >&2; exit 1; }; note $1 $(($(now) - t)); cat >/dev/null; } || return 1
	rm -rf $DATA
}

xl_start() { # KEY KERNEL DEVICES
	cat >$OUT/xl.cfg <<-END
		name = "bench"
		kernel = "/job/$2"
		ramdisk = "/job/bench-initramfs"
		memory = 128
		vcpus = 1
		tsc_mode = "native"
		extra = "console=hvc0 loglevel=4"
		$3
	END
	t=$(now)
	xl create -q -c $OUT/xl.cfg </dev/null 2>$OUT/xl.err | {
		grep -q 'bench: up' || { cat $OUT/xl.err >&2; exit 1; }
		note $1 $(($(now) - t))
		cat >/dev/null
	} || return 1
	xl destroy bench 2>/dev/null
	wait_for "the domain to go" sh -c '! xl domid bench'
}

start_round() {
	mkdir -p /tmp/p9
	pod_start pod own && xl_start xl-p9 vmlinux 'p9 = [ "tag=pod,path=/tmp/p9,security_model=none" ]' &&
		xl_start xl vmlinux "" && pod_start pod-qemu qemu || return 1
	[ ! -f bzImage ] || xl_start xl-bz bzImage ""
}

start_rows() {
	row "pod start, to the app's first word" ms pod xl-p9 "xl create with a 9p device"
	row "pod start, to the app's first word" ms pod xl "xl create without one"
	row "pod start, to the app's first word" ms pod pod-qemu "with QEMU as the 9p backend"
	! has xl-bz || row "xl create of the kernel as bzImage, LZ4" ms xl-bz xl "as ELF"
}
