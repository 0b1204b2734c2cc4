# What an app does with files, by our 9p backend and by QEMU's.

pod_io() { # BACKEND
	ready_pod $1
	then_run 'p9test small /w 300; p9test find /w 1500; p9test bulk /w 16'
	run_again 2>$OUT/pod.err >$OUT/io || { cat $OUT/pod.err >&2; return 1; }
	bare $OUT/io
	while read -r what ms; do
		[ -z "$ms" ] || note $what-$1 "$ms"
	done <$OUT/io
	rm -rf $DATA
}

files_round() { pod_io own && pod_io qemu; }
files_row() { row "9p: $1" ms $2-own $2-qemu "with QEMU" inverse; } # how many times faster
files_rows() {
	files_row "300 small files, each with fsync" small
	files_row "1,500 small files made" make
	files_row "1,500 files listed and looked at, nothing cached" find
	files_row "16 MiB written through the cache, fsync" write
	files_row "16 MiB read through the cache" read
	files_row "16 MiB written with O_DIRECT" direct-write
	files_row "16 MiB read with O_DIRECT" direct-read
}
