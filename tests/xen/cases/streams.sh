# What apps write and read arrives, byte for byte and in order.

t_output_of_both_streams() {
	sh_pod 'echo out; echo err >&2; echo more'
	expect status 0 "$(status)" && expect stdout "out
more" "$(cat $OUT/stdout)" && expect stderr err "$(cat $OUT/stderr)"
}

t_ten_megabytes_through_each_stream() {
	sh_pod 'cat /random & cat /random >&2; wait'
	want=$(sha256sum <random)
	expect status 0 "$(status)" && expect stdout "$want" "$(sha256sum <$OUT/stdout)" &&
		expect stderr "$want" "$(sha256sum <$OUT/stderr)"
}

t_stdin_reaches_the_app_and_ends() {
	pod --interactive $IMAGE -- -c 'cat; echo end' <random >$OUT/stdout 2>$OUT/stderr
	expect status 0 $? && expect stdout "$({ cat random; echo end; } | sha256sum)" "$(sha256sum <$OUT/stdout)"
}

t_stdin_is_empty_when_not_interactive() {
	echo text | pod $IMAGE -- -c 'cat; echo end' >$OUT/stdout 2>$OUT/stderr
	expect stdout end "$(cat $OUT/stdout)"
}

t_a_slow_reader_loses_nothing() {
	mkfifo $OUT/pipe
	pod $IMAGE -- -c 'cat /random; echo done >&2' >$OUT/pipe 2>$OUT/stderr &
	exec 8<$OUT/pipe
	wait_for "the pod" test -s $OUT/uuid
	wait_for "the app" test -e "$(poddir)/stage1/rootfs/rkt/supervisor-status" -o -L "$(poddir)/stage1/rootfs/rkt/supervisor-status"
	expect "a stalled app" "" "$(cat $OUT/stderr)" || { exec 8<&-; wait; return 1; }
	expect stdout "$(sha256sum <random)" "$(sha256sum <&8)"
	ret=$?
	exec 8<&-
	wait
	return $ret
}

t_a_reader_that_goes_away_ends_the_writer() {
	{ pod $IMAGE -- -c 'trap "" PIPE; while echo y; do :; done 2>/dev/null; exit 5'; echo $? >$OUT/status; } 2>$OUT/stderr | head -n 1 >$OUT/stdout
	expect stdout y "$(cat $OUT/stdout)" && expect status 5 "$(status)"
}
