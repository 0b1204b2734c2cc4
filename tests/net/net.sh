#!/bin/sh
# A pod's networks by Debian's plugins, on this kernel, in namespaces of our own: what is made, that it can be used,
# and that nothing is left however it ends. The pod's namespace stands for the guest. Writes TAP. usage: net [BUILD]
set -u
build=$(realpath "${1:-${BUILD:-build}}")
skip() { echo "ok 1 - networks # SKIP $*"; echo "1..1"; exit 0; }
[ "$(id -u)" = 0 ] || skip "only root can make networks"
[ -x /usr/lib/cni/ptp ] || skip "no plugins (package containernetworking-plugins)"
[ "${IN_NAMESPACE-}" ] || { IN_NAMESPACE=1; export IN_NAMESPACE; exec timeout 120 unshare -n -m --propagation private "$0" "$@"; }

dir=$(mktemp -d)
mount -t tmpfs none "$dir" && mount -t tmpfs none /run && mkdir -p /var/lib/cni && mount -t tmpfs none /var/lib/cni || exit 1
trap 'kill $servers 2>/dev/null; cd /; umount -l "$dir"; rmdir "$dir"' EXIT
trap 'exit 130' INT TERM
mkdir "$dir/pod" && cd "$dir/pod" || exit 1
PATH=/usr/sbin:/sbin:$PATH; export PATH dir
A=6733c0b5-5f2c-4a4b-8a4c-2f3f4b1f9c01 B=7733c0b5-5f2c-4a4b-8a4c-2f3f4b1f9c02
n=0
podnet=$build/tests/podnet
servers=

fail() { echo "not ok $((n + 1)) - $*"; for f in out err; do sed "s/^/#   $f: /" "$dir/$f" 2>/dev/null | tail -n 15; done; exit 1; }
ok() { n=$((n + 1)); echo "ok $n - $*"; } # what was looked at since the last one
same() { [ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"; }

# --- a host with an outside, and a directory of configurations
ip link set lo up
ip netns add out
ip link add ext0 type veth peer name eth0 netns out
ip addr add 10.9.0.1/24 dev ext0; ip addr add 10.9.0.3/24 dev ext0; ip addr add fd09::1/64 dev ext0 nodad; ip link set ext0 up
ip -n out addr add 10.9.0.2/24 dev eth0; ip -n out addr add fd09::2/64 dev eth0 nodad
ip -n out link set eth0 up; ip -n out link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
mkdir -p local/net.d stage1/rootfs/etc/rkt
cp -r "$(dirname "$build")/rootfs/etc/rkt/net.d" stage1/rootfs/etc/rkt/
manifest() { # PORTS: a pod of apps with ports
	cat >pod <<-END
	{ "acVersion": "0.8.11", "acKind": "PodManifest", "apps": [ { "name": "web", "image": { "name": "a", "id": "sha512-0" },
	"app": { "exec": [ "/x" ], "user": "0", "group": "0", "ports": [ { "name": "http", "protocol": "tcp", "port": 80 },
	{ "name": "dns", "protocol": "udp", "port": 53 } ] } } ], "ports": [ $1 ] }
	END
}
manifest ''

# start NET UUID: a pod's networks, by a process that stays; its input is a fifo's other end
start() {
	rm -f "$dir/in" "$dir/out"; mkfifo "$dir/in"
	"$podnet" make "$1" "$2" <"$dir/in" >"$dir/out" 2>"$dir/err" &
	supervisor=$!
	exec 7>"$dir/in"
	until grep -q '^made' "$dir/out" 2>/dev/null; do
		kill -0 $supervisor 2>/dev/null || fail "--net=$1: $(cat "$dir/err")"
		sleep 0.05
	done
}
finish() { exec 7>&-; wait $supervisor; }
refused() { # NET WHY: nothing is made
	"$podnet" make "$1" $A </dev/null >"$dir/out" 2>"$dir/err" && fail "--net=$1 is not refused"
	same "--net=$1" "podnet: $2" "$(cat "$dir/err")"
	nothing_left
	[ ! -e net ] && [ ! -e netns ] && [ ! -e net-info.json ] || fail "files are left: $(ls)"
}
residue() {
	ip -o link | sed 's/^[0-9]*: //; s/ qlen.*//'; ip -o addr | sed 's/ tentative//; s/^[0-9]*: //; s/\\.*//'; ip route; ip -6 route
	nft list ruleset; ls /run/netns; ls /run/stage1-xen/route_localnet 2>/dev/null; cat /proc/sys/net/ipv4/conf/*/route_localnet
	find /var/lib/cni -type f -name '[0-9a-f]*[.:]*[0-9a-f]' | grep -v last_reserved
}
nothing_left() { # the kernel takes a namespace's devices away when it finds the time
	for turn in $(seq 100); do
		residue >"$dir/after"
		diff "$dir/before" "$dir/after" >"$dir/diff" && return
		sleep 0.1
	done
	fail "left behind: $(cat "$dir/diff")"
}
in_pod() { nsenter --net=/run/netns/cni-$A "$@"; }

# --- the first time iptables makes its tables; they stay
cat >local/net.d/50-both.conf <<'END'
{ "cniVersion": "0.4.0", "name": "both", "type": "ptp", "ipMasq": true, "ipam": { "type": "host-local", "ranges": [
  [ { "subnet": "10.5.0.0/24" } ], [ { "subnet": "fd05::/64" } ] ], "routes": [ { "dst": "0.0.0.0/0" }, { "dst": "::/0" } ] } }
END
start both $A
finish
"$podnet" gc $A 2>"$dir/err" || fail "gc"
residue >"$dir/before"

# --- default
start default $A
same "what is made" "eth0 mtu 1500, 1 addresses, 3 routes
host 172.16.28.1
made" "$(cat "$dir/out")"
ip=$(in_pod ip -o -4 addr show eth0 | sed 's/.*inet \([0-9.]*\).*/\1/')
same "net-info.json" '[{"netName":"default","netConf":"net/99-default.conf","pluginPath":"/usr/lib/cni/ptp","ifName":"eth0","ip":"'"$ip"'","args":"","mask":"255.255.255.0"}]' "$(cat net-info.json)"
same "netns" "/var/run/netns/cni-$A" "$(cat netns)"
in_pod ping -q -c 1 -W 5 10.9.0.2 >/dev/null || fail "the outside does not answer"
in_pod ip link show lo | grep -q 'LOOPBACK,UP' || fail "lo is down"
in_pod ip link show eth0 | grep -q ALLMULTI || fail "eth0 does not hear every group"
[ "$(in_pod ip -6 -o addr show dev eth0)" = "" ] || fail "eth0 has an address of its own making"
grep -q vif net/eth0.nft || fail "no rules to join eth0 to the guest"
ok "the default network: addresses, routes, masquerade, net-info.json as rkt reads it"
finish
"$podnet" remove $A 2>"$dir/err" || fail "remove"
nothing_left
same "says" "stage1: executing net-plugin /usr/lib/cni/ptp" "$(cat "$dir/err")"
"$podnet" remove $A 2>"$dir/err" || fail "remove again"
[ -f net-info.json ] || fail "no net-info.json for rkt list"
"$podnet" gc $A 2>"$dir/err" || fail "gc"
same "gc's last line" "stage1: executing net-plugin /usr/lib/cni/ptp" "$(tail -n 1 "$dir/err")"
[ ! -e net ] && [ ! -e netns ] && [ -f net-info.json ] || fail "files after gc: $(ls)"
"$podnet" gc $A 2>"$dir/err" || fail "gc again"
same "gc again" "" "$(cat "$dir/err")"
rm net-info.json
ok "its end, again and again: nothing is left, net-info.json stays"

# --- restricted
start default-restricted $A
same "what is made" "eth0 mtu 1500, 1 addresses, 2 routes
host 172.31.0.1
made" "$(cat "$dir/out")"
grep -q 172.31.0.1 net/eth0.nft || fail "the guest is not kept to the gateway: $(cat net/eth0.nft)"
finish; "$podnet" gc $A 2>"$dir/err" || fail gc
nothing_left; rm net-info.json
ok "default-restricted: no default route, and the guest may reach the gateway only"

# --- none
start none $A; finish
same "net-info.json" null "$(cat net-info.json)"
same "files" "local net-info.json pod stage1" "$(echo *)"
rm net-info.json
ok "none: net-info.json says so"

# --- several, a chain, arguments, name servers; a plugin that shows what it is called with
cat >local/net.d/10-lan.conflist <<'END'
{ "cniVersion": "1.0.0", "name": "lan", "plugins": [
  { "type": "bridge", "bridge": "lan0", "isGateway": true, "mtu": 1400, "ipam": { "type": "host-local", "ranges": [
    [ { "subnet": "10.7.0.0/24" } ], [ { "subnet": "fd07::/64" } ] ], "routes": [ { "dst": "10.8.0.0/16" } ] },
    "dns": { "nameservers": [ "10.7.0.1" ], "search": [ "lan.test" ] } },
  { "type": "tuning", "sysctl": { "net.ipv4.conf.IFNAME.log_martians": "1" } }, { "type": "show" } ] }
END
cat >local/net.d/show <<'END'
#!/bin/sh
# says what it is called with; as the last of a chain it hands the result on, alone it gives an address
conf=$(cat)
{ echo "$CNI_COMMAND $CNI_IFNAME"; env | grep '^CNI_' | sort; echo "$conf"; } >>"$dir/called"
[ "$CNI_COMMAND" = ADD ] || exit 0
case $conf in
*prevResult*) printf '%s' "$conf" | python3 -c 'import json,sys; print(json.dumps(json.load(sys.stdin)["prevResult"]))' ;;
*) ip link add "s$$" type veth peer name "$CNI_IFNAME" netns "${CNI_NETNS##*/}" && ip link set "s$$" up
	ip -n "${CNI_NETNS##*/}" addr add 192.0.2.7/24 dev "$CNI_IFNAME"; ip -n "${CNI_NETNS##*/}" link set "$CNI_IFNAME" up
	echo '{ "ip4": { "ip": "192.0.2.7/24" }, "dns": { "nameservers": [ "192.0.2.1" ] } }' ;;
esac
END
chmod +x local/net.d/show
printf '{ "name": "shown", "type": "show",\n "x": 1 }\n' >local/net.d/20-shown.conf
start 'lan:IP=10.7.0.77,default,shown:A=b;C=d' $A
same "what is made" "eth0 mtu 1400, 2 addresses, 3 routes
eth1 mtu 1500, 1 addresses, 1 routes
eth2 mtu 1500, 1 addresses, 3 routes
host 172.16.28.1
# Generated by rkt from network 'lan'

search lan.test
nameserver 10.7.0.1
made" "$(cat "$dir/out")"
same "the address asked for" 10.7.0.77 "$(python3 -c 'import json; print(json.load(open("net-info.json"))[0]["ip"])')"
finish; "$podnet" gc $A 2>"$dir/err" || fail gc
same "order of the end" "stage1: executing net-plugin /usr/lib/cni/ptp
stage1: executing net-plugin local/net.d/show
stage1: executing net-plugin /usr/lib/cni/bridge" "$(cat "$dir/err")"
same "calls" "ADD eth0
ADD eth1
DEL eth1
DEL eth0" "$(grep -E '^(ADD|DEL) ' "$dir/called")"
awk '/^ADD eth1/ { on = 1; next } /^DEL/ { on = 0 } on' "$dir/called" >"$dir/called.one"
same "what plugins are told" "CNI_ARGS=A=b;C=d;IgnoreUnknown=1
CNI_COMMAND=ADD
CNI_CONTAINERID=$A
CNI_IFNAME=eth1
CNI_NETNS=/var/run/netns/cni-$A
CNI_PATH=local/net.d:/usr/lib/rkt/plugins/net:$dir/pod/stage1/rootfs/usr/lib/rkt/plugins/net:/opt/cni/bin:/usr/lib/cni
CNI_VERSION=0.1.0
$(cat local/net.d/20-shown.conf)" "$(cat "$dir/called.one")"
grep -A20 '^DEL eth0' "$dir/called" | grep -q '"prevResult":{.*10.7.0.77' || fail "DEL of CNI 1.0.0 is not given the result"
ip link del lan0; nothing_left; rm net-info.json
ok "several networks and a chain, their order, arguments, name servers; what plugins are told"

# --- plugins that fail
echo '{ "name": "bad", "type": "bad" }' >local/net.d/30-bad.conf
echo '{ "name": "worse", "type": "ptp", "ipam": { "type": "none-such" } }' >local/net.d/31-worse.conf
plugin() { printf '#!/bin/sh\n[ "$CNI_COMMAND" = ADD ] || exit 0\n%s\n' "$1" >local/net.d/bad; chmod +x local/net.d/bad; }
plugin 'echo "{ \"code\": 7, \"msg\": \"no room\", \"details\": \"at all\" }"; exit 1'
: >"$dir/called"
refused bad,shown "network 'bad' (30-bad.conf): ADD: bad: no room; at all"
same "the other one is undone" "ADD eth0
DEL eth0" "$(grep -E '^(ADD|DEL) ' "$dir/called")"
plugin 'echo oops; exit 3'
refused bad "network 'bad' (30-bad.conf): ADD: bad: exit status 3: oops"
plugin 'kill -SEGV $$'
refused bad "network 'bad' (30-bad.conf): ADD: bad: killed by signal 11"
plugin 'echo "{"'
refused bad "network 'bad' (30-bad.conf): ADD: result: not JSON: ends too early"
plugin 'echo "{}"'
refused bad "network 'bad' (30-bad.conf), eth0: interface 'eth0': no such interface in the pod's network namespace"
plugin 'head -c 3000000 /dev/zero; sleep 60'
refused bad "network 'bad' (30-bad.conf): ADD: bad printed more than 1048576 bytes"
refused worse "network 'worse' (local/net.d/31-worse.conf): there is no plugin 'none-such' in local/net.d:/usr/lib/rkt/plugins/net:$dir/pod/stage1/rootfs/usr/lib/rkt/plugins/net:/opt/cni/bin:/usr/lib/cni; Debian's are in the package containernetworking-plugins"
refused nowhere,default "--net=nowhere,default: networks not found: 'nowhere' (looked in local/net.d, $dir/pod/stage1/rootfs/etc/rkt/net.d)"
echo '{' >local/net.d/99-x.conf
refused default "local/net.d/99-x.conf: not JSON: ends too early"
rm local/net.d/99-x.conf
ok "plugins that fail, each way: their words and names in one line, everything undone"

plugin 'sleep 61 & echo $! >"$dir/child"; sleep 62'
refused default,bad "network 'bad' (30-bad.conf): ADD: bad did not end within 5 s"
kill -0 "$(cat "$dir/child")" 2>/dev/null && [ "$(ps -o stat= -p "$(cat "$dir/child")" | cut -c 1)" != Z ] && fail "its child lives"
ok "a plugin that hangs is killed, and everything is undone"

cp local/net.d/bad local/net.d/hangs
plugin 'kill -TERM $$ && kill -HUP $$; echo "{ \"code\": 8, \"msg\": \"goes on\" }"; exit 1'
refused bad "network 'bad' (30-bad.conf): ADD: bad: goes on"
mv local/net.d/hangs local/net.d/bad
ok "the end of a unit, told to all its processes, is not a plugin's"

rm -f "$dir/child"
{ until [ -s "$dir/child" ]; do sleep 0.05; done; date +%s >"$dir/begun"; echo stop; } | PODNET_CANCEL=1 "$podnet" make default,bad $A >"$dir/out" 2>"$dir/err" && fail "not interrupted"
same "interrupted" "podnet: network 'bad' (30-bad.conf): ADD: bad was interrupted: the pod was asked to stop" "$(cat "$dir/err")"
[ $(($(date +%s) - $(cat "$dir/begun"))) -lt 4 ] || fail "it was waited for"
nothing_left
ok "a pod that is asked to stop does not wait for its plugins"

# --- the supervisor is killed
rm -f "$dir/child"
"$podnet" make default,bad $A >"$dir/out" 2>"$dir/err" <&- &
supervisor=$!
until [ -s "$dir/child" ]; do sleep 0.05; done
kill -9 $supervisor; wait $supervisor 2>/dev/null
"$podnet" gc $A 2>"$dir/err" || fail "gc"
nothing_left; rm net-info.json
manifest '{ "name": "http", "hostPort": 8080 }'
start default $A
kill -9 $supervisor; finish 2>/dev/null
"$podnet" gc $A 2>"$dir/err" || fail "gc"
nothing_left; rm net-info.json
start default $A
kill -9 $supervisor; finish 2>/dev/null
umount /run/netns/cni-$A; rm /run/netns/cni-$A; nft flush ruleset # the host was started anew
"$podnet" gc $A 2>"$dir/err" || fail "gc after a reboot"
"$podnet" make both $A </dev/null >"$dir/out" 2>"$dir/err" && "$podnet" gc $A 2>"$dir/err" || fail "after a reboot"
rm net-info.json; residue >"$dir/before"
ok "killed while a plugin runs, and when all is made, and by a reboot: gc leaves nothing"

# --- addresses
echo '{ "name": "few", "type": "ptp", "ipam": { "type": "host-local", "subnet": "10.6.0.0/30" } }' >local/net.d/40-few.conf
manifest ''
start few $A
mkdir ../other; cp -r local stage1 pod ../other/; cd ../other || exit 1
"$podnet" make few $B </dev/null >"$dir/out" 2>"$dir/err" && fail "two pods have one address"
same "no address is left" "podnet: network 'few' (40-few.conf): ADD: ptp: failed to allocate for range 0: no IP addresses available in range set: 10.6.0.1-10.6.0.2" "$(cat "$dir/err")"
[ ! -e net ] && [ ! -e netns ] || fail "files are left"
cd ../pod || exit 1
finish; "$podnet" remove $A 2>"$dir/err"
"$podnet" make few $B </dev/null >"$dir/out" 2>"$dir/err" || fail "the address is not free again"
same "the same address" 10.6.0.2 "$(python3 -c 'import json; print(json.load(open("net-info.json"))[0]["ip"])')"
"$podnet" gc $B 2>"$dir/err" || fail gc
nothing_left; rm -f net-info.json
ok "no address left: said, and nothing made; free again when the other pod has ended"

for turn in first again; do
	start lan:IP=10.7.0.77 $A
	same "the address, $turn" 10.7.0.77 "$(python3 -c 'import json; print(json.load(open("net-info.json"))[0]["ip"])')"
	finish; "$podnet" remove $A 2>"$dir/err" || fail remove
done
"$podnet" gc $A 2>"$dir/err" || fail gc
ip link del lan0; nothing_left; rm net-info.json
ok "a pod that is started again has the address it asks for, as before"

echo '{ "cniVersion": "0.4.0", "name": "asks", "type": "bridge", "bridge": "lan0", "ipam": { "type": "dhcp" } }' >local/net.d/41-asks.conf
refused asks "network 'asks' (local/net.d/41-asks.conf): the daemon of the plugin dhcp does not run, there is no /run/cni/dhcp.sock: start 'dhcp daemon'"
ok "dhcp without its daemon: said before anything is made"

# --- a driver domain: nothing of it is here but the address
echo '{ "cniVersion": "0.4.0", "name": "far", "type": "bridge", "bridge": "br", "mtu": 1400, "stage1-xen/backend": "netvm",
  "ipam": { "type": "host-local", "subnet": "10.3.0.0/24", "routes": [ { "dst": "0.0.0.0/0" } ] } }' >local/net.d/42-far.conf
start far $A
same "what is made" "eth0 mtu 1400, 1 addresses, 2 routes
host -
made" "$(cat "$dir/out")"
same "the namespace" lo "$(in_pod ip -o link | sed 's/^[0-9]*: //; s/:.*//')"
same "net-info.json" /usr/lib/cni/host-local "$(python3 -c 'import json; print(json.load(open("net-info.json"))[0]["pluginPath"])')"
finish; "$podnet" gc $A 2>"$dir/err" || fail gc
nothing_left; rm net-info.json
manifest '{ "name": "http", "hostPort": 8080 }'
refused far "port 'http': network 'far' (local/net.d/42-far.conf) is in domain 'netvm', where this host's ports cannot lead"
ok "a network of another domain: the address only, no ports, nothing left"
manifest ''

# --- ports. tell.py answers with the address it was asked from
cat >"$dir/tell.py" <<'END'
import socket, sys
what, proto, host, port = sys.argv[1:5]
kind = socket.SOCK_DGRAM if proto == "udp" else socket.SOCK_STREAM
s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
if what == "serve":
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if ":" in host:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind((host, int(port)))
    if proto == "tcp":
        s.listen()
    print("up", flush=True)
    while True:
        if proto == "udp":
            data, peer = s.recvfrom(100)
            s.sendto((sys.argv[5] + " " + peer[0]).encode(), peer)
        else:
            c, peer = s.accept()
            c.sendall((sys.argv[5] + " " + peer[0]).encode())
            c.close()
s.settimeout(float(sys.argv[5]) if len(sys.argv) > 5 else 5)
try:
    s.connect((host, int(port)))
    if proto == "udp":
        s.send(b"?")
    print(s.recv(100).decode())
except OSError as e:
    print("no:", type(e).__name__)
END
serve() { # NETNS PROTO HOST PORT WORD
	rm -f "$dir/up"; nsenter --net="$1" python3 "$dir/tell.py" serve "$2" "$3" "$4" "$5" >"$dir/up" 2>"$dir/serve.err" 7>&- &
	served=$!; servers="$servers $served"
	until grep -q up "$dir/up" 2>/dev/null; do sleep 0.05; kill -0 $served || fail "no server: $(cat "$dir/serve.err")"; done
}
asked() { python3 "$dir/tell.py" ask "$@"; }
from_out() { ip netns exec out python3 "$dir/tell.py" ask "$@"; }
manifest '{ "name": "http", "hostPort": 8080 }, { "name": "dns", "hostPort": 5353, "hostIP": "10.9.0.3" }'
start both $A
ns=/run/netns/cni-$A
ip4=$(in_pod ip -o -4 addr show eth0 | sed 's/.*inet \([0-9.]*\).*/\1/')
serve $ns tcp 0.0.0.0 80 pod; serve $ns tcp :: 80 pod6; serve $ns udp 0.0.0.0 53 pod
same "from outside" "pod 10.9.0.2" "$(from_out tcp 10.9.0.1 8080)"
same "from outside, v6" "pod6 fd09::2" "$(from_out tcp fd09::1 8080)"
same "from the host's address" "pod 10.5.0.1" "$(asked tcp 10.9.0.1 8080)"
same "from the host's address, v6" "pod6 fd05::1" "$(asked tcp fd09::1 8080)"
same "from loopback" "pod 10.5.0.1" "$(asked tcp 127.0.0.1 8080)"
same "from ::1" "no: ConnectionRefusedError" "$(asked tcp ::1 8080)"
same "udp, at its address" "pod 10.9.0.2" "$(from_out udp 10.9.0.3 5353)"
same "udp, at another" "no: ConnectionRefusedError" "$(from_out udp 10.9.0.1 5353 1)"
same "udp, from the host" "pod 10.5.0.1" "$(asked udp 10.9.0.3 5353)"
same "the pod, to itself" "pod 10.5.0.1" "$(in_pod python3 "$dir/tell.py" ask tcp 10.9.0.1 8080)"
same "the pod, to itself, v6" "pod6 fd05::1" "$(in_pod python3 "$dir/tell.py" ask tcp fd09::1 8080)"
veth=$(ip -o route get "$ip4" | sed 's/.* dev \([^ ]*\).*/\1/')
same "route_localnet" 1 "$(cat /proc/sys/net/ipv4/conf/"$veth"/route_localnet)"
ok "ports: from outside, the host, its loopback and the pod itself; tcp and udp; v4 and v6; at one address"

# the pod cannot reach what listens on the host's loopback, which route_localnet alone would permit
serve /proc/self/ns/net tcp 127.0.0.1 7 host
in_pod sh -c 'ip route del local 127.0.0.0/8 dev lo table local; ip route del local 127.0.0.1 dev lo table local
	ip route add 127.0.0.1/32 via 10.5.0.1 dev eth0 onlink; echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet'
same "the host's loopback" "no: TimeoutError" "$(in_pod python3 "$dir/tell.py" ask tcp 127.0.0.1 7 1)"
nft list chain inet stage1-xen-$A loopback | grep -q 'daddr 127.0.0.0/8 counter packets [1-9]' || fail "nothing was dropped"
ok "the host's loopback is kept from the pod"

cd ../other || exit 1
cp ../pod/pod .; cp ../pod/local/net.d/50-both.conf local/net.d/
"$podnet" make both $B </dev/null >"$dir/out" 2>"$dir/err" && fail "two pods have one port"
same "another pod's port" "podnet: port 'http': the host's tcp port 8080 is in use by another pod or program" "$(cat "$dir/err")"
[ ! -e net ] && [ ! -e netns ] || fail "files are left"
cd ../pod || exit 1
kill -9 $supervisor; finish 2>/dev/null
cd ../other || exit 1
start both $B
serve /run/netns/cni-$B tcp 0.0.0.0 80 second
same "past a dead pod's rules" "second 10.9.0.2" "$(from_out tcp 10.9.0.1 8080)"
cd ../pod || exit 1
"$podnet" gc $A 2>"$dir/err" || fail gc
same "and after its gc" "second 10.9.0.2" "$(from_out tcp 10.9.0.1 8080)"
cd ../other || exit 1
finish; "$podnet" gc $B 2>"$dir/err" || fail gc
same "a pod that has ended" "no: ConnectionRefusedError" "$(from_out tcp 10.9.0.1 8080 1)"
cd ../pod || exit 1
kill $servers 2>/dev/null; wait 2>/dev/null
servers=
rm -f net-info.json
nothing_left
serve /proc/self/ns/net tcp 0.0.0.0 8080 host
refused both "port 'http': the host's tcp port 8080 is in use by another pod or program"
kill $served; wait $served 2>/dev/null
ok "a port in use, by a pod or by the host: said before anything is made; free again at once"

manifest '{ "name": "http", "hostPort": 8080, "hostIP": "fd09::1" }'
refused default "port 'http': the pod has no IPv6 address that the host's fd09::1 port 8080 could lead to"
manifest '{ "name": "none", "hostPort": 8080 }'
refused default "port 'none': no app has one of that name"
ok "ports that lead nowhere are refused, and everything is undone"

# --- 127.0.0.1 of two pods on one bridge: the host's loopback is shut again behind the last of them
cat >local/net.d/55-lan.conf <<'END'
{ "cniVersion": "0.4.0", "name": "lan", "type": "bridge", "bridge": "lan0", "isGateway": true,
  "ipam": { "type": "host-local", "subnet": "10.7.0.0/24" } }
END
cp local/net.d/55-lan.conf ../other/local/net.d/
localnet() { cat /proc/sys/net/ipv4/conf/lan0/route_localnet; }
lan() { # PODDIR UUID PORT: a pod of it starts
	cd "../$1" || exit 1
	manifest '{ "name": "http", "hostPort": '$3' }'
	start lan $2
}
ip link add lan0 type bridge
lan pod $A 8080
same "route_localnet of the bridge" 1 "$(localnet)"
kill -9 $supervisor; finish 2>/dev/null
lan other $B 8081
cd ../pod || exit 1
"$podnet" gc $A 2>"$dir/err" || fail gc
same "route_localnet while the other one needs it" 1 "$(localnet)"
nft list chain inet stage1-xen-$B loopback | grep -q lan0 || fail "its guard is gone"
cd ../other || exit 1
finish; "$podnet" gc $B 2>"$dir/err" || fail gc
same "route_localnet after both" 0 "$(localnet)"
echo 1 >/proc/sys/net/ipv4/conf/lan0/route_localnet
lan other $B 8081
finish; "$podnet" gc $B 2>"$dir/err" || fail gc
same "route_localnet that was set before" 1 "$(localnet)"
cd ../pod || exit 1
rm -f net-info.json; ip link del lan0
nothing_left
ok "route_localnet of a bridge: set for its pods, and back when the last of them has gone; not when it was set before"

# --- portmap does it itself
cat >local/net.d/60-map.conflist <<'END'
{ "cniVersion": "0.4.0", "name": "map", "plugins": [ { "type": "ptp", "ipMasq": true, "ipam": { "type": "host-local",
  "subnet": "10.4.0.0/24", "routes": [ { "dst": "0.0.0.0/0" } ] } },
  { "type": "portmap", "snat": true, "capabilities": { "portMappings": true } } ] }
END
manifest '{ "name": "http", "hostPort": 8080 }'
start map $A
serve $ns tcp 0.0.0.0 80 pod
same "from outside" "pod 10.9.0.2" "$(from_out tcp 10.9.0.1 8080)"
[ ! -e net/ports.nft ] || fail "we lead the port too"
kill $served; wait $served 2>/dev/null
finish; "$podnet" gc $A 2>"$dir/err" || fail gc
rm net-info.json
iptables-save -t nat | grep -q -e '-j CNI-DN' && fail "portmap's rules are left: $(iptables-save -t nat)"
ok "a chain with the plugin portmap is given the ports, and ours are not made"
echo "1..$n"
