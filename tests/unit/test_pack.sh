#!/bin/sh
# What pack makes: the same bytes twice, whatever the tree's times, modes and order; errors in one
# line, and nothing half-written left. Writes TAP. usage: test_pack.sh [PACK]
set -eu
pack=$(realpath "${1:-${BUILD:-build}/pack}")
dir=$(mktemp -d)
n=0
trap 'rm -rf "$dir"' EXIT
cd "$dir"
unset SOURCE_DATE_EPOCH
fail() { echo "not ok $((n + 1)) - $*"; exit 1; }
ok() { n=$((n + 1)); echo "ok $n - $*"; } # what was looked at since the last one
same() { [ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"; }

make_tree() { # DIR UMASK NAMES...
	( umask "$2"; mkdir -p "$1/sub/deep"; top=$1; shift 2
	  for f; do echo "$f" >"$top/$f"; done
	  printf '#!/bin/sh\n' >"$top/sub/run"; chmod u+x "$top/sub/run"
	  ln -s ../a "$top/sub/link"; ln "$top/a" "$top/hard" )
}
make_tree one 022 a b 'näme'
make_tree two 077 'näme' b a
touch -d 2001-01-01 two/a two/sub
echo '{}' >m

# --- reproducible
for tree in one two; do
	"$pack" --format=aci "$tree.aci" manifest=m rootfs/rkt/status/ "rootfs=$tree" 'rootfs/flavor->xen' rootfs/init=m:0755
	"$pack" --format=aci --gzip "$tree.aci.gz" "rootfs=$tree" manifest=m
	"$pack" --format=initramfs "$tree.cpio" init=m:0755 "lib=$tree" dev/ tmp/:1777 'bin->usr/bin'
	sleep 1.1 # a time stamp in the output would differ
done
for kind in aci aci.gz cpio; do
	cmp "one.$kind" "two.$kind" || fail "$kind: differs between two runs"
done
SOURCE_DATE_EPOCH=86400 "$pack" --format=aci epoch.aci manifest=m rootfs/
same epoch "1970-01-02 00:00" "$(TZ=UTC tar -tvf epoch.aci --full-time | awk 'NR==1 {print $4, substr($5, 1, 5)}')"
ok "the same bytes whatever the tree's times, modes and order"

# --- content
same order "manifest rootfs/ rootfs/a rootfs/b rootfs/flavor rootfs/hard rootfs/init rootfs/näme rootfs/rkt/ rootfs/rkt/status/ rootfs/sub/ rootfs/sub/deep/ rootfs/sub/link rootfs/sub/run" \
	"$(tar --quoting-style=literal -tf one.aci | tr '\n' ' ' | sed 's/ $//')"
same owners "0/0" "$(tar --numeric-owner -tvf one.aci | awk '{print $2}' | sort -u)"
same aci-modes "-rw-r--r-- lrwxrwxrwx -rwxr-xr-x drwxr-xr-x -rwxr-xr-x" \
	"$(tar -tvf one.aci manifest rootfs/sub/deep/ rootfs/flavor rootfs/init rootfs/sub/run | awk '{print $1}' | tr '\n' ' ' | sed 's/ $//')"
gzip -dc one.aci.gz | tar -tf - >/dev/null || fail "gzip: not readable"
same cpio-list "bin dev init lib lib/a lib/b lib/hard lib/näme lib/sub lib/sub/deep lib/sub/link lib/sub/run tmp" \
	"$(LC_ALL=C.UTF-8 cpio --quiet -t <one.cpio | tr '\n' ' ' | sed 's/ $//')"
mkdir x; (cd x; cpio --quiet -idm <../one.cpio)
same link ../a "$(readlink x/lib/sub/link)"
same tmp-mode 1777 "$(stat -c %a x/tmp)"
same init-mode 755 "$(stat -c %a x/init)"
cmp one/a x/lib/hard || fail "a hard link of the source lost its content"
same magic 070701 "$(head -c 6 one.cpio)"
ok "the content it was told to pack"
# no two entries may look like one file under two names: the kernel would link them
same nlink 1 "$(stat -c %h x/lib/a)"
ok "hard links of the source are files of their own"

# --- errors: one line, exit status 1, nothing left behind, an old output untouched
bad() { # MESSAGE ARGS...
	want=$1; shift
	echo old >out
	if "$pack" "$@" 2>err; then fail "accepted: $*"; fi
	same "message of $*" "$want" "$(cat err)"
	same "output of $*" old "$(cat out)"
	[ ! -e out.new ] || fail "left out.new: $*"
}
bad "pack: an image needs 'manifest' and 'rootfs'" --format=aci out manifest=m
bad "pack: 'etc': an image has only 'manifest' and 'rootfs/'" --format=aci out manifest=m rootfs/ etc/
bad "pack: 'rootfs/a': given twice" --format=aci out manifest=m rootfs/a=m rootfs/a=m
bad "pack: 'a/b': below 'a', which is no directory" --format=initramfs out a=m a/b=m
bad "pack: '../a': '..' in a name" --format=initramfs out ../a=m
bad "pack: '/': an empty name" --format=initramfs out /=m
bad "pack: nowhere: No such file or directory" --format=initramfs out a=nowhere
bad "pack: one: a mode is for a file only" --format=initramfs out a=one:0755
bad "pack: 'word': neither DEST=SRC, DEST/ nor DEST->TARGET" --format=initramfs out word
bad "pack: --gzip is for --format=aci" --format=initramfs --gzip out a=m
bad "pack: unknown option '--format=zip'" --format=zip out a=m
bad "pack: needs --format=, OUT and at least one ENTRY" --format=aci out
mkfifo one/fifo
bad "pack: $dir/one/fifo: not a file, directory or symbolic link" --format=initramfs out a=one
if "$pack" --format=initramfs /dev/full/out a=m 2>err; then fail "wrote below a device"; fi
same "message" "pack: create /dev/full/out.new: Not a directory" "$(cat err)"
short=/sys/kernel/uevent_seqnum # says 4096 bytes and has a few
[ ! -e "$short" ] || bad "pack: $short: changed while it was read" --format=initramfs out a=$short
ok "errors are one line and leave nothing behind"
echo "1..$n"
