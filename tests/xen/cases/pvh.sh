# PVH guests, on a CPU that virtualizes: here pods are of this type unless they say another one (tests/xen/suite-pvh).

t_pvh_is_what_the_guest_is() {
	sh_pod 'cat /sys/hypervisor/guest_type; nproc; exit 7' --insecure-options=paths --pod-annotation=stage1-xen/vcpus=2
	expect status 7 "$(status)" && expect stdout "$(printf 'PVH\n2')" "$(cat $OUT/stdout)" || return 1
	TYPE=pv
	sh_pod 'cat /sys/hypervisor/guest_type' --insecure-options=paths
	expect "status of a PV guest" 0 "$(status)" && expect "its type" PV "$(cat $OUT/stdout)" || return 1
	stage0 check --stage1-path=$STAGE1 >$OUT/stdout
	expect "check" "ok    PVH guests: the CPU can" "$(grep PVH $OUT/stdout)"
}

# Without a core: of a PVH guest Xen's library looks at 4 GiB of addresses, page by page.
t_pvh_guest_panics() {
	sh_pod 'echo 2 >/proc/sys/vm/panic_on_oom; tail /dev/zero' --insecure-options=paths --memory=20Mi
	expect status 254 "$(status)" && expect stderr "stage1 run: the guest crashed" "$(grep '^stage1 run:' $OUT/stderr)" || return 1
	grep -q '^guest: .*panic_on_oom' $OUT/stderr || fail "the last words of the kernel are missing"
}

# Exit code, volume, enter and stop of one pod; what it wrote is in dom0 afterwards.
t_pvh_life_with_a_volume() {
	mkdir $OUT/vol
	echo from dom0 >$OUT/vol/in
	start 'cat /srv/in >/srv/out; trap "echo bye >>/srv/out; exit 3" TERM; echo up; while :; do sleep 1; done' \
		--volume=v,kind=host,source=$OUT/vol --mount=volume=v,target=/srv || return 1
	expect "what enter sees" "from dom0" "$(stage0 enter --dir=$DATA "$(uuid)" /bin/cat /srv/out)" || return 1
	expect "its type for Xen" pvh "$(xl list -l "rkt-$(uuid)" | sed -n 's/^ *"type": "\(pv[h]*\)",*$/\1/p')" || return 1
	stage0 stop --dir=$DATA "$(uuid)" >/dev/null
	finish
	expect status 0 "$(status)" &&
		expect "the volume" "$(printf 'from dom0\nbye')" "$(cat $OUT/vol/out)"
}

# Ten megabytes out of the guest, checked, by its network device.
t_pvh_network() {
	socat -u TCP-LISTEN:18113,reuseaddr OPEN:$OUT/got,creat 2>$OUT/socat &
	receiver=$!
	sh_pod 'ping -c 2 172.16.28.1 >/dev/null && dd if=/random bs=1M count=10 2>/dev/null | nc 172.16.28.1 18113 && echo sent' --net=default
	kill $receiver 2>/dev/null
	wait $receiver
	expect status 0 "$(status)" && expect stdout sent "$(cat $OUT/stdout)" || return 1
	expect "what came" "$(md5sum </job/random)" "$(md5sum <$OUT/got)"
}
