#!/bin/sh
# The real entrypoints on hosts that are not fit for a pod: one line, 254, nothing made. The host is faked
# by a /sys of our own in a mount namespace; Xen's own libraries find no Xen. TAP.
B=${BUILD:-build}
if [ "${1-}" != inside ]; then
	if ! unshare -m true 2>/dev/null; then
		echo "ok 1 - hosts that are not fit # SKIP mount namespaces are not permitted here"
		echo 1..1
		exit 0
	fi
	exec unshare -m "$0" inside
fi

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
init=$PWD/$B/stage1/init module=$PWD/$B/stage1
n=0 bad=0

# case_ NAME LINE: `run` says just that
case_() {
	n=$((n + 1))
	said=$(cd "$work/pod" && RKT_LOCK_FD=9 "$init" --net=none "$uuid" 9<. 2>&1)
	status=$?
	files=$(cd "$work/pod" && find . | sort | tr '\n' ' ')
	case $said in
	"stage1 run: "$2) [ $status -eq 254 ] && [ "$files" = "$before" ] && echo "ok $n - $1" && return ;;
	esac
	echo "not ok $n - $1"
	echo "# status $status, files $files, '$said'"
	bad=1
}

# gc_ NAME STATUS LINE: what gc says
gc_() {
	n=$((n + 1))
	said=$(cd "$work/pod" && "${init%/*}/gc" "$uuid" 2>&1)
	status=$?
	# shellcheck disable=SC2254 # LINE is a pattern
	case $said in
	$3) [ $status -eq $2 ] && echo "ok $n - $1" && return ;;
	esac
	echo "not ok $n - $1"
	echo "# status $status, '$said'"
	bad=1
}

uuid=6733c0b5-5f2c-4a4b-8a4c-2f3f4b1f9c01
root=$work/pod/stage1/rootfs
mkdir -p "$root/lib/stage1-xen" "$root/rkt/status" "$root/export" "$root/opt/stage2/app/rootfs" "$work/pod/appsinfo/app"
echo "{}" >"$work/pod/appsinfo/app/manifest"
cat >"$work/pod/pod" <<-END
	{ "acVersion": "1.30.0", "acKind": "PodManifest", "apps": [ { "name": "app",
	  "image": { "name": "x/y", "id": "sha512-00" },
	  "app": { "exec": [ "/bin/app" ], "user": "0", "group": "0" } } ] }
END
before=$(cd "$work/pod" && find . | sort | tr '\n' ' ')

mount -t tmpfs none /sys && mkdir -p /sys/hypervisor/version || exit 1
sys() { echo "$2" >"/sys/hypervisor/$1"; }

rmdir /sys/hypervisor/version /sys/hypervisor
gc_ "gc where Xen cannot be looked for" 254 "stage1 gc: see whether this host runs on Xen: /sys/kernel: No such file or directory"
mkdir /sys/kernel
gc_ "gc of a host that was booted without Xen" 0 ""
case_ "no Xen" "this host does not run on Xen (no /sys/hypervisor/type)"
mkdir -p /sys/hypervisor/version
sys type kvm
case_ "another hypervisor" "this host does not run on Xen (kvm)"
sys type xen
sys uuid 11111111-2222-3333-4444-555555555555
case_ "a guest of Xen" "this is a guest of Xen, pods are started in dom0"
sys uuid 00000000-0000-0000-0000-000000000000
sys version/major 9
sys version/minor 99
case_ "a Xen this image was not built for" \
	"this stage1 image was not built for Xen 9.99, which is running"
gc_ "gc of a host that was booted with such a Xen" 0 ""
echo "not a library" >"$root/lib/stage1-xen/xen-9.99.so"
before=$(cd "$work/pod" && find . | sort | tr '\n' ' ')
case_ "libraries that cannot be used" "the libraries of Xen 9.99 cannot be used: *"
gc_ "gc with them" 254 "stage1 gc: the libraries of Xen 9.99 cannot be used: *"
cp "$module"/xen-*.so "$root/lib/stage1-xen/xen-9.99.so"
mount -t tmpfs none /var/run 2>/dev/null
case_ "no xenstored" "cannot talk to Xen (is xenstored running?): *"
gc_ "gc without it" 254 "stage1 gc: cannot talk to Xen (is xenstored running?): *"
echo "1..$n"
exit $bad
