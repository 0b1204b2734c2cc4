# What an app does with files, by our 9p backend and by QEMU's: sizes that let a round of both end in some three
# minutes, where most of it is QEMU's.

pod_io() { # BACKEND
	ready_pod $1
	root=$(poddir)/stage1/rootfs/opt/stage2/app/rootfs
	cp /job/tree.tar "$root/"
	"$root/bin/p9test" make "$root/found" 10000 >/dev/null || return 1
	then_run 'p9test find /found 10000; p9test small /w 1000; p9test make /made 500; p9test write /w 16
		p9test bulk /w 64; p9test random /w 64 4000
		now() { awk "{ printf \"%d\\n\", \$1 * 1000 }" /proc/uptime; }
		mkdir /w; t=$(now); tar -C /w -xf /tree.tar; sync; echo untar $(($(now) - t))'
	run_again 2>$OUT/pod.err >$OUT/io || { cat $OUT/pod.err >&2; return 1; }
	bare $OUT/io
	while read -r what ms; do
		[ -z "$ms" ] || note $what-$1 "$ms"
	done <$OUT/io
	echo "bench: $(awk '{ s += $2 } END { print s }' $OUT/io) ms by the backend $1" >&2
	rm -rf $DATA
}

files_round() { pod_io own && pod_io qemu; }
files_row() { row "9p: $1" ms $2-own $2-qemu "with QEMU" inverse; } # how many times faster
files_rows() {
	files_row "10,000 files listed and looked at, nothing cached" find
	files_row "1,000 small files, each with fsync" small
	files_row "500 small files made" make
	files_row "a source tree of 260 files unpacked by tar" untar
	files_row "16 MiB written through the cache, fsync" write
	files_row "64 MiB read through the cache" read
	files_row "64 MiB written with O_DIRECT" direct-write
	files_row "64 MiB read with O_DIRECT" direct-read
	files_row "4,000 reads of 4 KiB at random, nothing cached" random
}
