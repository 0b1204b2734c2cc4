# The device of a pod with networks, and what joins it to what plugins make.

# net_conf NAME JSON: a configuration of the host's, gone with the case.
net_conf() {
	mkdir -p /etc/rkt/net.d
	echo "$2" >/etc/rkt/net.d/$1.conf
}

dual_conf() {
	net_conf 10-dual '{ "cniVersion": "0.4.0", "name": "dual", "type": "ptp", "mtu": 9000,
		"ipam": { "type": "host-local", "ranges": [ [ { "subnet": "10.77.0.0/24" } ], [ { "subnet": "fd77::/64" } ] ],
		"routes": [ { "dst": "0.0.0.0/0" }, { "dst": "::/0" } ] } }'
}

# address IFNAME PATTERN: of a pod that has printed "IFNAME ADDRESS" for each of its addresses.
address() { sed -n "s/.*: $1 \($2[0-9a-f:.]*\)\$/\1/p" $OUT/stdout; }

# Two networks, in both families and with large frames; traffic from either side, all of it checked.
t_net_device_carries_traffic() {
	dual_conf
	ip link add mvhost type veth peer name mvmaster && ip link set mvmaster up && ip link set mvhost up &&
		ip addr add 10.78.0.1/24 dev mvhost || return 1
	net_conf 20-mv '{ "name": "mv", "type": "macvlan", "master": "mvmaster", "mode": "bridge",
		"ipam": { "type": "host-local", "subnet": "10.78.0.0/24" } }'
	ip link add ivhost type veth peer name ivmaster && ip link set ivmaster up && ip link set ivhost up &&
		ip addr add 10.79.0.1/24 dev ivhost || return 1
	net_conf 30-iv '{ "name": "iv", "type": "ipvlan", "master": "ivmaster", "mode": "l2",
		"ipam": { "type": "host-local", "subnet": "10.79.0.0/24" } }'
	start 'for i in eth0 eth1 eth2; do
			ip -o addr show dev $i scope global | while read -r _ _ _ a _; do echo "$i ${a%/*}"; done
		done
		cat /sys/class/net/*/mtu | tr "\n" " "; echo
		ip route; ip -6 route | grep default
		ping -c 2 -W 5 10.77.0.1 >/dev/null && ping6 -c 2 -W 5 fd77::1 >/dev/null && ping -c 1 -W 5 10.78.0.1 >/dev/null &&
			ping -c 1 -W 5 10.79.0.1 >/dev/null && echo pings
		exec nettest serve 7000' --net=dual,mv,iv || { cat $OUT/stderr; return 1; }
	v4=$(address eth0 10) v6=$(address eth0 fd77) mv=$(address eth1 10) iv=$(address eth2 10)
	grep -q ': pings' $OUT/stdout && grep -q ': 9000 1500 1500 65536 $' $OUT/stdout || { cat $OUT/stdout; return 1; }
	ping -c 1 -W 5 $v6 >/dev/null && ping -c 1 -W 5 -M 'do' -s 8972 $v4 >/dev/null && ping -c 1 -W 5 $mv >/dev/null ||
		{ fail "no answer to a ping"; cat $OUT/stdout; return 1; }
	{ nettest client $v4 7000 100 && nettest client $v6 7000 8 && nettest client $mv 7000 8 && nettest client $iv 7000 8; } >$OUT/speed || return 1
	sed 's/^/# /' $OUT/speed
	kill -TERM $(supervisor)
	finish
	gc 2>/dev/null
	expect status 0 "$(status)" || return 1
	sed -i 's/"l2"/"l3"/' /etc/rkt/net.d/30-iv.conf
	sh_pod true --net=iv
	rm -r /etc/rkt/net.d
	ip link del mvhost
	ip link del ivhost
	expect_refused "network 'iv' (30-iv.conf), eth0: interface 'eth0': it has no ARP, as ipvlan of mode l3: a virtual machine needs it (ipvlan: mode l2)"
}

# Frames as hexadecimal, and what of them arrives.
t_net_device_tells_no_lies() {
	dual_conf
	start 'cat /sys/class/net/eth0/address; ip -o addr show dev eth0 scope global | grep -o "10\.77[0-9.]*" | head -n 1
		exec nettest serve 7000' --net=dual || { cat $OUT/stderr; return 1; }
	mac=$(grep -o '..:..:..:..:..:..' $OUT/stdout | tr -d :) v4=$(grep -o '10\.77[0-9.]*' $OUT/stdout)
	dev=$(ip -o route get $v4 | sed 's/.* dev \([^ ]*\).*/\1/')
	gw=$(tr -d : </sys/class/net/$dev/address) own=$(printf '%02x%02x%02x%02x' $(echo $v4 | tr . ' '))
	ip4() { echo "080045000014000040004${1}fd0000${2}0a4d0001"; } # TTL's digit, FROM
	good=$gw$mac$(ip4 0 $own) last=$gw$mac$(ip4 1 $own)
	nettest watch "$dev" "$last" >$OUT/seen &
	watch=$!
	wait_for "the watch" grep -q watching $OUT/seen || return 1
	arp() { echo "ffffffffffff${mac}0806000108000604000${1}${mac}${2}${gw}0a4d0001"; } # OP, FROM
	enter nettest frames eth0 "$good" "${gw}020000000099$(ip4 0 $own)" "$gw$mac$(ip4 0 0a4d0063)" "$(arp 2 0a4d0063)" \
		"$(arp 2 0a4d0001)" "${gw}${mac}0800450000140000400040fd0000${own}7f000001" "$gw${mac}88b50000" "$last" </dev/null || return 1
	wait $watch
	expect "what arrived" "$good $last" "$(grep -E "^($gw|ffffffffffff)($mac|020000000099)(0800450000140000|08060001080006040002|88b5)" \
		$OUT/seen | tr '\n' ' ' | sed 's/ $//')" || return 1
	kill -TERM $(supervisor)
	finish
	rm -r /etc/rkt/net.d
	gc 2>/dev/null
	expect status 0 "$(status)"
}

# What /vif has to say reaches who started the pod.
t_net_device_cannot_be_joined() {
	printf '#!/bin/sh\ncat >/dev/null\necho "no such luck" >&2\nexit 1\n' >$OUT/nft
	chmod +x $OUT/nft
	mount --bind $OUT/nft /usr/sbin/nft
	sh_pod 'echo up' --net=default
	umount /usr/sbin/nft
	expect "exit status" 254 "$(status)" && expect stdout "" "$(cat $OUT/stdout)" || return 1
	expect stderr "stage1 run: give domain 'rkt-$(uuid)' its network device 0: device vifN.0: /usr/sbin/nft: exit status 1: no such luck" \
		"$(grep ^stage1 $OUT/stderr | sed 's/vif[0-9]*/vifN/')"
}

# Plays the backend of a device in another domain as far as libxl waits for it: it becomes InitWait.
far_backend() { # DOMID
	wait_for "the device" sh -c "xenstore-list /local/domain/$1/backend/vif" || return 1
	pod=$(xenstore-list /local/domain/$1/backend/vif)
	far=/local/domain/$1/backend/vif/$pod/0
	wait_for "its frontend" xenstore-exists /local/domain/$pod/device/vif/0/backend-id || return 1
	{
		xenstore-read /local/domain/$pod/device/vif/0/backend-id /local/domain/$pod/device/vif/0/trusted $far/bridge \
			/local/domain/$pod/device/vif/0/mac
		xenstore-exists $far/script && echo script
	} | tr '\n' ' ' >$OUT/far
	xenstore-write $far/state 2
}

# The device's backend is another domain; there only as far as xenstore goes, for the guest's kernel has no netback.
t_net_device_of_another_domain() {
	net_conf 10-far '{ "cniVersion": "0.4.0", "name": "far", "type": "bridge", "bridge": "nbr", "mtu": 1400,
		"stage1-xen/backend": "netvm", "ipam": { "type": "host-local", "subnet": "10.99.0.0/24", "routes": [ { "dst": "0.0.0.0/0" } ] } }'
	sh_pod 'echo up' --net=far
	expect_refused "/etc/rkt/net.d/10-far.conf: stage1-xen/backend: there is no domain 'netvm'" || return 1
	sh_pod 'echo up' --net=far --port=http:8080
	expect_refused "port 'http': network 'far' (/etc/rkt/net.d/10-far.conf) is in domain 'netvm', where this host's ports cannot lead" || return 1
	boot=$(poddir)/stage1/rootfs/boot
	printf 'name = "netvm"\nkernel = "%s"\nramdisk = "%s"\nmemory = 64\n' $boot/vmlinux $boot/initramfs >$OUT/netvm.cfg
	xl create -q -p $OUT/netvm.cfg || return 1
	netvm=$(xl domid netvm)
	pod $IMAGE --net=far -- -c 'echo up' >$OUT/stdout 2>$OUT/stderr &
	started=$!
	far_backend $netvm || return 1
	mac=$(awk '{ print $4 }' $OUT/far)
	expect "the device" "$netvm 0 nbr $mac script " "$(cat $OUT/far)" && expect "its MAC" "02:$(uuid | sed 's/\(..\)\(..\)\(..\)\(..\).*/\4:\3:\2:\1/'):00" $mac &&
		expect "net-info.json" "/usr/lib/cni/host-local 10.99.0.2" \
		"$(sed 's/.*"pluginPath":"\([^"]*\)".*"ip":"\([^"]*\)".*/\1 \2/' "$(poddir)/net-info.json")" || return 1
	kill -TERM $(supervisor) && kill -TERM $(supervisor)
	finish
	xl destroy netvm
	rm -f /var/log/xen/xl-netvm.log
	rm -r /etc/rkt/net.d
	gc 2>/dev/null
	expect stderr "stage1 run: asked twice to stop: the pod is destroyed" "$(grep '^stage1 run:' $OUT/stderr)"
}
