# TCP of a plain domain whose device is on a bridge by Debian's script, and of the same domain joined as a pod's is
# (stage1/net/join.h); the start of a pod with a network.

# The guest does its part and ends: "rtt US", "up KIB/S", "down KIB/S" on its console, of each of its clients.
net_domain() { # KIND VIF [VCPUS [COMMAND LINE]]
	cat >$OUT/net.cfg <<-END
		name = "net"
		kernel = "/job/vmlinux"
		ramdisk = "/job/nettest-initramfs"
		memory = 128
		vcpus = ${3-1}
		tsc_mode = "native"
		extra = "console=hvc0 loglevel=4 ${4-}"
		vif = [ "mac=02:00:00:00:09:02,$2" ]
	END
	xl create -q -c $OUT/net.cfg </dev/null >$OUT/net.out 2>&1
	wait_for "the domain to go" sh -c '! xl domid net' || return 1
	for what in rtt up down; do
		value=$(awk -v what=$what '$1 == what { sum += $2; n++ } END { if (n) print int(what == "rtt" ? sum / n : sum) }' $OUT/net.out)
		[ "$value" ] || { cat $OUT/net.out >&2; return 1; }
		note net-$1-$what $value
	done
}

# Debian's script brings the domain's end up and onto the bridge.
net_on_bridge() {
	ip link add benchbr type bridge && ip link set benchbr up && ip addr add 10.9.0.1/24 dev benchbr &&
		net_domain bridge bridge=benchbr,script=vif-bridge && ip link del benchbr
}

# /vif finds what it needs in the current directory.
net_joined() { # [KIND [SCRIPT [VCPUS [COMMAND LINE]]]]
	mkdir -p $OUT/pod/net
	cp /job/both.nft $OUT/pod/net/eth0.nft
	printf /run/netns/bench >$OUT/pod/netns
	ip netns add bench && ip link add benchveth type veth peer name eth0 netns bench address 02:00:00:00:09:02 &&
		ip link set benchveth up && ip addr add 10.9.0.1/24 dev benchveth && ip -n bench link set eth0 up &&
		(cd $OUT/pod && net_domain "${1-joined}" "script=${2-/job/vif}" "${3-1}" "${4-}") && ip netns del bench || return 1
	wait_for "the devices to go" sh -c '! ip link show benchveth'
}

net_pod() { # KEY NETWORK
	ready_pod own
	t=$(now)
	run_again --net=$2 2>$OUT/pod.err | { read -r line || { cat $OUT/pod.err >&2; exit 1; }; note $1 $(($(now) - t)); cat >/dev/null; } || return 1
	(cd "$(poddir)" && stage1/rootfs/gc --local-config /etc/rkt "$(uuid)") 2>$OUT/gc.err || { cat $OUT/gc.err >&2; return 1; }
	rm -rf $DATA
}

net_round() {
	nettest serve 5001 >/dev/null &
	server=$!
	net_on_bridge && net_joined
	ret=$?
	kill $server
	[ $ret = 0 ] && net_pod net-pod-none none && net_pod net-pod-default default
}

net_rows() {
	row "a TCP round trip, joined as a pod's device is" us net-joined-rtt net-bridge-rtt "on a bridge by vif-bridge"
	row "TCP from the guest to dom0, joined" KiB/s net-joined-up net-bridge-up "on a bridge by vif-bridge"
	row "TCP from dom0 to the guest, joined" KiB/s net-joined-down net-bridge-down "on a bridge by vif-bridge"
	row "pod start with --net=default" ms net-pod-default net-pod-none "with --net=none"
}
