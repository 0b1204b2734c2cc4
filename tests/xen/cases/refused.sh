# Bad input and unfit hosts: one line that names the place, status 254, nothing left.

t_malformed_manifests() {
	ended_pod
	dir=$(poddir)
	cp $dir/pod $OUT/good
	try() {
		again
		expect_refused "$1"
	}
	head -c 40 $OUT/good >$dir/pod
	try 'pod: not JSON: ends too early' || return 1
	: >$dir/pod
	try 'pod: not JSON: ends too early' || return 1
	echo '{"apps": [7]}' >$dir/pod
	try 'pod.apps[0]: expected object, found int' || return 1
	sed 's/"exec": *\[/"exec":[7,/' $OUT/good >$dir/pod
	try 'pod.apps[0].app.exec[0]: expected string, found int' || return 1
	sed 's/"apps": *\[{/&"mounts":[{"volume":"data","path":"\/srv"}],/' $OUT/good >$dir/pod
	try "app 'app', mount '/srv': no volume named 'data'" || return 1
	rm $dir/pod
	try 'open pod: No such file or directory'
}

t_root_file_system_missing() {
	ended_pod
	root=$(poddir)/stage1/rootfs/opt/stage2/app/rootfs
	mv $root $root.away
	again
	expect_refused "app 'app': no root file system at $root: No such file or directory"
}

t_networks_are_refused_clearly() {
	sh_pod 'true' --net=host
	expect_refused "--net=host: a virtual machine has no part in the host's network: use --net=default, with --port to be reached at the host's addresses" || return 1
	sh_pod 'true' --net=no-such,default
	expect_refused "--net=no-such,default: networks not found: 'no-such' (looked in /etc/rkt/net.d, $(poddir)/stage1/rootfs/etc/rkt/net.d)"
}

t_flags() {
	ended_pod
	again --no-such-flag
	expect_refused "unknown flag '--no-such-flag'" || return 1
	again --ipc=junk
	expect_refused '--ipc=junk: auto, private or parent' || return 1
	again --hostname=
	expect_refused '--hostname=: 1 to 64 bytes'
}

# This machine's CPU does not virtualize: tests/xen/suite-pvh has another one.
t_no_pvh_where_the_cpu_cannot() {
	sh_pod 'true' --pod-annotation=stage1-xen/type=pvh
	expect_refused "annotation 'stage1-xen/type': pvh needs a CPU with VT-x and EPT or AMD-V and NPT, switched on: Xen finds none here" || return 1
	sh_pod 'true' --pod-annotation=stage1-xen/type=hvm
	expect_refused "annotation 'stage1-xen/type': 'hvm' is neither pv nor pvh" || return 1
	stage0 check --stage1-path=$STAGE1 >$OUT/stdout
	expect "check" "warn  PVH guests: the CPU cannot: pods are PV guests only; switch VT-x or AMD-V on in the firmware, if it is there" "$(grep PVH $OUT/stdout)"
}

t_no_memory_left() {
	free=$(xl info free_memory)
	cat >$OUT/hog.cfg <<-END
		name = "hog"
		kernel = "/tmp/ended/pods/run/$(cat /tmp/ended/uuid)/stage1/rootfs/boot/vmlinux"
		memory = $((free - 60))
	END
	xl create -p $OUT/hog.cfg >/dev/null 2>&1 || return 1
	sh_pod 'true'
	xl destroy hog
	rm -f /var/log/xen/xl-hog.log
	expect status 254 "$(status)" && grep -qE '^stage1 run: the pod needs 132 MiB of memory, Xen has [0-9]+ MiB free$' $OUT/stderr
}

t_not_root() {
	ended_pod
	(cd / && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$(poddir)/stage1/rootfs/init" --net=none "$(uuid)") >$OUT/stdout 2>$OUT/stderr
	echo $? >$OUT/status
	expect_refused 'must be run by root'
}

t_module_for_another_xen() {
	ended_pod
	rm "$(poddir)"/stage1/rootfs/lib/stage1-xen/xen-*.so
	again
	expect_refused "this stage1 image was not built for Xen 4.17, which is running"
}

t_9p_backend_missing() {
	ended_pod
	p9=$(poddir)/stage1/rootfs/p9
	rm "$p9"
	again
	expect_refused "the 9p backend $p9: No such file or directory"
}

t_kernel_missing_or_garbage() {
	ended_pod
	kernel=$(poddir)/stage1/rootfs/boot/vmlinux
	head -c 100000 random >$kernel
	again
	expect status 254 "$(status)" &&
		expect lines 1 "$(grep -c "^stage1 run: create domain 'rkt-$(uuid)': " $OUT/stderr)"
}

t_check_says_this_host_is_ready() {
	stage0 check --stage1-path=$STAGE1 >$OUT/stdout 2>$OUT/stderr || {
		sed 's/^/#   /' $OUT/stdout
		return 1
	}
}
