# What the tests of stage0's verbs share: root, a directory of their own that goes with all mounts in it, and stage0
# called and looked at. Sourced at the start, with the test's own arguments: BUILD.
set -u
build=$(realpath "${1:-${BUILD:-build}}")
stage0=$build/stage0/stage0
pack=$build/pack
n=0
[ "$(id -u)" = 0 ] || { echo "ok 1 # SKIP only root can make pods"; echo "1..1"; exit 0; }
# mounts made below are nobody else's; what waits in vain must not hold up the rest
[ "${IN_NAMESPACE-}" ] || { IN_NAMESPACE=1; export IN_NAMESPACE; exec timeout 240 unshare -m --propagation private "$0" "$@"; }
dir=$(mktemp -d)
mount -t tmpfs none "$dir" || exit 1 # all goes with it
trap 'jobs -p | xargs -r kill 2>/dev/null; cd /; umount -l "$dir"; rmdir "$dir"' EXIT
trap 'exit 130' INT TERM
cd "$dir" || exit 1

fail() { echo "not ok $((n + 1)) - $*"; echo "# stderr:"; sed 's/^/#   /' err 2>/dev/null; exit 1; }
ok() { n=$((n + 1)); echo "ok $n - $*"; } # what was looked at since the last one
same() { [ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"; }

# s STATUS ARGS...: stage0, whose exit status must be this; out and err are what it wrote
s() {
	want=$1; shift
	"$stage0" --dir="$data" "$@" >out 2>err </dev/null
	same "exit status of $*" "$want" $?
}
says() { same "stdout" "$1" "$(cat out)"; }
complains() { same "stderr" "$1" "$(cat err)"; }
