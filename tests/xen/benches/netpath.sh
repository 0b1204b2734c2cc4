# What the settings of a pod's network device, and the parts of its path, are worth: queues, large segments and
# checksums, the filter, the pair of veth that plugins make. Of benches/net.sh's domain; two streams where queues count.

. benches/net.sh

# Hotplug programs that change one thing each; run by libxl as /vif is.
netpath_scripts() {
	mkdir -p $OUT/hotplug
	cat >$OUT/hotplug/small <<-'END'
		#!/bin/sh
		# no large segments: the guest is not offered them, and those for it are cut in dom0
		[ "$1" != online ] || xenstore-write "$XENBUS_PATH/feature-gso-tcpv4" 0 "$XENBUS_PATH/feature-gso-tcpv6" 0
		/job/vif "$@" || exit
		[ "$1" != online ] || exec ip netns exec bench ethtool -K "$vif" tso off gso off >/dev/null
	END
	cat >$OUT/hotplug/summed <<-'END'
		#!/bin/sh
		# checksums for the guest are computed in dom0
		/job/vif "$@" || exit
		[ "$1" != online ] || exec ip netns exec bench ethtool -K "$vif" tx off >/dev/null
	END
	cat >$OUT/hotplug/bridged <<-'END'
		#!/bin/sh
		# a bridge in place of the rules: no filter, and the veth pair as with them, whose MAC must be another one then
		[ "$1" = online ] || exit 0
		ip -n bench link set eth0 address 02:00:00:00:09:03
		ip link set "$vif" netns bench && ip -n bench link add two type bridge && ip -n bench link set two up &&
			ip -n bench link set "$vif" master two up && ip -n bench link set eth0 master two &&
			xenstore-write "$XENBUS_PATH/hotplug-status" connected
	END
	chmod +x $OUT/hotplug/*
}

netpath_round() {
	netpath_scripts
	nettest serve 5001 >/dev/null &
	server=$!
	ret=0
	for vcpus in 2 4; do
		for queues in 1 $vcpus; do
			net_joined v$vcpus-q$queues /job/vif $vcpus "xen_netfront.max_queues=$queues clients=2" || ret=1
		done
	done
	net_on_bridge && net_joined && net_joined bridged $OUT/hotplug/bridged && net_joined small $OUT/hotplug/small &&
		net_joined summed $OUT/hotplug/summed || ret=1
	kill $server
	return $ret
}

netpath_rows() {
	for what in rtt up down; do
		unit=KiB/s
		[ $what != rtt ] || unit=us
		row "2 vCPUs, two streams, $what: a queue for each" $unit net-v2-q2-$what net-v2-q1-$what "one queue"
		row "4 vCPUs, two streams, $what: a queue for each" $unit net-v4-q4-$what net-v4-q1-$what "one queue"
		row "$what: no large segments" $unit net-small-$what net-joined-$what "with them"
		row "$what: checksums for the guest made in dom0" $unit net-summed-$what net-joined-$what "left out"
		row "$what: joined by the rules" $unit net-joined-$what net-bridged-$what "by a bridge in the pod's namespace"
		row "$what: a bridge in the pod's namespace" $unit net-bridged-$what net-bridge-$what "on the host's bridge"
	done
}
