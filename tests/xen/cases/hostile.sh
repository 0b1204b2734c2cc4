# Guests that mean harm (tests/xen/hostile.c): each costs its own pod only, with one clear line.

hostile() {
	ended_pod
	cp hostile-$1 "$(poddir)/stage1/rootfs/boot/initramfs"
	again
	expect_refused "$2"
}

t_guest_sends_garbage() {
	hostile garbage 'the guest broke the protocol: frame of unknown type 165'
}

t_guest_announces_two_gigabytes() {
	hostile huge 'the guest broke the protocol: frame of type 8 with 2147483647 bytes'
}

t_guest_sends_more_than_its_credit() {
	hostile flood 'the guest broke the protocol: 16384 bytes of data, 0 are allowed'
}

t_guest_chatters_with_escape_sequences() {
	ended_pod
	cp hostile-chatter "$(poddir)/stage1/rootfs/boot/initramfs"
	again
	expect "exit status" 254 "$(status)" &&
		expect "the end" "stage1 run: the guest broke the protocol: END before app 0 has ended" "$(tail -n 1 $OUT/stderr)" &&
		expect "escape sequences" 0 "$(grep -c "$(printf '\033')" $OUT/stderr)" || return 1
	[ "$(wc -c <$OUT/stderr)" -lt 400000 ] || fail "$(wc -c <$OUT/stderr) bytes of messages"
}

t_guest_spoils_its_nodes() {
	ended_pod
	cp hostile-nodes "$(poddir)/stage1/rootfs/boot/initramfs"
	again
	expect "exit status" 254 "$(status)" &&
		expect stderr "stage1 run: guest: nodes: done
stage1 run: the guest broke the protocol: frame of unknown type 165" "$(grep '^stage1 run:' $OUT/stderr)"
}

t_guest_dies_inside_a_frame() {
	hostile half 'the guest powered off before the pod had ended'
}
