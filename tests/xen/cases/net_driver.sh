# A network in another domain: dom0's own kernel and Xen's tools in a PV guest, whose bridge has pods at one end and at the
# other, through its device in dom0, the machine 10.99.0.1.

# What it is made of: dom0's own files, where dom0 has them.
netvm_ramdisk() {
	tools=$(for tool in $(echo /usr/lib/xen-*/bin/xl) ip bash flock xenstore-read xenstore-write xenstore-exists busybox; do command -v $tool; done)
	mkdir -p $OUT/netvm && (
		cd $OUT/netvm || exit 1
		mkdir -p usr/bin usr/sbin usr/lib usr/lib64 dev proc sys run/lock run/xen var/log/xen var/lib/xen tmp modules
		ln -s usr/bin usr/sbin usr/lib usr/lib64 . && ln -s /run /run/lock var
		tar -chf - -C / $(echo "$tools" $(ldd $tools 2>/dev/null | grep -o '/[^ :]*') /etc/xen | tr ' ' '\n' | sed 's,^/,,' | sort -u) | tar -xf - || exit 1
		nr=10
		for file in $(modinfo -F filename xen-privcmd xenfs xen-evtchn xen-gntdev xen-gntalloc xen-netback xen-netfront llc stp bridge); do
			cp "$file" modules/$nr || exit 1
			nr=$((nr + 1))
		done
		cp /job/cases/netvm-init init && chmod +x init && find . | busybox cpio -o -H newc >$OUT/netvm.cpio 2>/dev/null
	)
}

# What the domain has said of a device: netvm_said PATTERN
netvm_said() { grep -q "$1" /var/log/xen/console/guest-netvm.log; }

netvm_start() {
	rm -f /var/log/xen/console/guest-netvm.log
	ip netns add out && ip link add nb0 type bridge && ip link add ext0 type veth peer name eth0 netns out &&
		ip link set nb0 up && ip link set ext0 up master nb0 && ip -n out link set eth0 up && ip -n out link set lo up &&
		ip -n out addr add 10.99.0.1/24 dev eth0 && ip -n out addr add fd99::1/64 dev eth0 nodad &&
		ip -n out addr add 10.98.0.1/32 dev lo && netvm_ramdisk || return 1
	# Its own device is untrusted so that its frontend copies what it sends: it could not grant pages of pods once more.
	cat >$OUT/netvm.cfg <<-END
		name = "netvm"
		kernel = "$(echo /boot/vmlinuz-*)"
		ramdisk = "$OUT/netvm.cpio"
		memory = 256
		driver_domain = 1
		extra = "console=hvc0 mitigations=off quiet"
		vif = [ "bridge=nb0,script=vif-bridge,untrusted" ]
	END
	xl create -q $OUT/netvm.cfg && netvm=$(xl domid netvm) && wait_for "the driver domain" netvm_said '^a driver domain'
}

netvm_end() {
	xl destroy netvm 2>/dev/null
	ip link del nb0
	ip link del ext0
	ip netns del out
	rm -rf /etc/rkt/net.d /var/log/xen/xl-netvm.log /var/log/xen/xen-hotplug.log
}

# Both ways, both families, by what the addresses and the default route say.
netvm_carries_traffic() {
	out() { timeout 100 ip netns exec out "$@"; }
	start 'ip -o addr show dev eth0 scope global | while read -r _ _ _ a _; do echo "at ${a%/*}"; done; cat /sys/class/net/eth0/mtu
		ping -q -c 1 -W 5 10.99.0.1 >/dev/null && ping -q -c 1 -W 5 10.98.0.1 >/dev/null && ping6 -q -c 1 -W 5 fd99::1 >/dev/null && echo pings
		nettest hear 53 & exec nettest serve 7000' --net=far || { cat $OUT/stderr; return 1; }
	v4=$(sed -n 's/.*: at \(10.*\)/\1/p' $OUT/stdout) v6=$(sed -n 's/.*: at \(fd99.*\)/\1/p' $OUT/stdout)
	grep -q ': pings$' $OUT/stdout && grep -q ': 1400$' $OUT/stdout || { cat $OUT/stdout; return 1; }
	out nettest client $v4 7000 16 >$OUT/speed && out nettest client $v6 7000 2 >/dev/null && out ping -q -c 1 -W 5 -M 'do' -s 1372 $v4 >/dev/null || return 1
	sed 's/^/# /' $OUT/speed
	printf hello | out socat -t 1 - UDP:$v4:53 || return 1
	wait_for "the datagram" grep -q ': hello$' $OUT/stdout || return 1
	domid=$(xl domid "rkt-$(uuid)")
	netvm_said ": vif$domid.0: .* master nbr" && xenstore-exists /local/domain/$netvm/backend/vif/$domid || { fail "not in that domain"; return 1; }
	kill -TERM $(supervisor)
	finish
	expect status 0 "$(status)" && wait_for "the device to go" netvm_said "^Deleted.*: vif$domid.0:" && gc 2>/dev/null &&
		wait_for "its backend to go" sh -c "! xenstore-exists /local/domain/$netvm/backend/vif/$domid"
}

# The network is gone then, and nothing else.
netvm_goes_first() {
	start 'echo up; exec sleep 1000' --net=far || { cat $OUT/stderr; return 1; }
	xl destroy netvm
	expect "the pod" alive "$(enter echo alive </dev/null)" || return 1
	t=$(date +%s)
	kill -TERM $(supervisor)
	finish
	echo "# $(($(date +%s) - t)) s to end"
	expect status 0 "$(status)" && expect stderr "" "$(cat $OUT/stderr)" && gc 2>/dev/null
}

t_net_in_a_driver_domain() {
	netvm_start
	ret=$?
	net_conf 10-far '{ "cniVersion": "0.4.0", "name": "far", "type": "bridge", "bridge": "nbr", "mtu": 1400, "isDefaultGateway": true,
		"stage1-xen/backend": "netvm", "ipam": { "type": "host-local",
		"ranges": [ [ { "subnet": "10.99.0.0/24" } ], [ { "subnet": "fd99::/64" } ] ] } }'
	[ $ret = 0 ] && netvm_carries_traffic && netvm_goes_first
	ret=$?
	[ $ret = 0 ] || tail -n 20 /var/log/xen/console/guest-netvm.log
	netvm_end
	return $ret
}
