# What apps write and read arrives, byte for byte and in order.

t_output_of_both_streams() {
	sh_pod 'echo out; echo err >&2; echo more'
	expect status 0 "$(status)" && expect stdout "out
more" "$(cat $OUT/stdout)" && expect stderr err "$(cat $OUT/stderr)"
}

t_ten_megabytes_through_each_stream() {
	sh_pod 'cat /random & cat /random >&2; wait' --interactive
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
	bare $OUT/stdout
	expect stdout end "$(cat $OUT/stdout)"
}

t_a_slow_reader_loses_nothing() {
	mkfifo $OUT/pipe
	pod --interactive $IMAGE -- -c 'cat /random; echo done >&2' >$OUT/pipe 2>$OUT/stderr &
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
	bare $OUT/stdout
	expect stdout y "$(cat $OUT/stdout)" && expect status 5 "$(status)"
}

# The form that rkt's users know from the journal's console; then without it, in the app's log.
t_lines_say_whose_they_are() {
	pod $IMAGE -- -c 'echo one; echo err >&2; printf "two\nthree"' >$OUT/stdout 2>$OUT/stderr
	expect status 0 $? && expect "lines of stdout" 3 "$(grep -cE '^\[ *[0-9]+\.[0-9]{6}\] app\[[1-9][0-9]*\]: (one|two|three)$' $OUT/stdout)" &&
		expect "lines in all" "3 1" "$(echo $(wc -l <$OUT/stdout) $(wc -l <$OUT/stderr))" &&
		expect "lines of stderr" 1 "$(grep -cE '^\[ *[0-9]+\.[0-9]{6}\] app\[[1-9][0-9]*\]: err$' $OUT/stderr)" &&
		expect log "stderr err
stdout one
stdout three
stdout two" "$(cut -d' ' -f2- "$(poddir)/logs/app" | sort)" &&
		expect "mode of the log" 640 "$(stat -c %a "$(poddir)/logs/app")"
}

t_logs_are_bounded() {
	sh_pod 'i=0; while [ $i -lt 400 ]; do i=$((i + 1)); head -c 9000 /random | od -An -tx1 -w4500 -v; done'
	expect status 0 "$(status)" && expect "log and its past" "logs/app logs/app.1" "$(cd "$(poddir)" && echo logs/*)" || return 1
	for f in "$(poddir)"/logs/*; do
		[ "$(stat -c %s "$f")" -le 1048576 ] || fail "$f: $(stat -c %s "$f") bytes"
	done
}

# at_a_terminal SCRIPT [FLAGS...]: an interactive pod; its user does what the lines on stdin say (tests/xen/ptyrun.c).
at_a_terminal() {
	script=$1
	shift
	cat >$OUT/keys
	TERM=screen ptyrun $OUT/keys stage0 run --net=none --insecure-options=image --dir=$DATA --stage1-path=$STAGE1 --uuid-file-save=$OUT/uuid --interactive \
		$IMAGE "$@" -- -c "$script" >$OUT/stdout 2>$OUT/stderr
	echo $? >$OUT/status
}

t_a_terminal() {
	at_a_terminal 'tty; echo $TERM; stty size; trap "stty size" WINCH; trap "echo intr; go=1" INT; echo up
		while [ -z "$go" ]; do sleep 0.1; done; read x; echo "got $x"; cat; echo end; exit 7' <<-'END'
		expect /dev/pts/0
		expect screen
		expect 24 80
		expect up
		raw
		size 50 132
		expect 50 132
		send \x03
		expect intr
		send line\r
		expect got line
		send more\r
		expect more
		send \x04
		expect end
		cooked
	END
	expect status 7 "$(status)" && expect stderr "" "$(cat $OUT/stderr)" &&
		expect file 7 "$(cat "$(poddir)/stage1/rootfs/rkt/status/app")"
}

t_the_way_out_of_a_terminal() {
	at_a_terminal 'trap "" INT; echo up; cat' <<-'END'
		expect up
		raw
		send \x1d\x1dx
		send \x1d\x1d\x1d
		cooked
	END
	expect status 1 "$(status)" && expect stderr "" "$(cat $OUT/stderr)" || return 1
	# ^C while the pod is still starting is for us, and so is TERM at any time: in order. Who ignores TERM, as shells
	# at a terminal do, hears HUP at once.
	at_a_terminal 'echo never' --debug <<-'END'
		expect guest:
		send \x03
	END
	expect "status of ^C" 0 "$(status)" || return 1
	at_a_terminal 'trap "sleep 1; echo bye; exit 3" TERM; echo up; while :; do sleep 0.1; done' <<-'END'
		expect up
		raw
		signal 15
		expect bye
		cooked
	END
	expect "status of TERM" 0 "$(status)" || return 1
	at_a_terminal 'echo up; exec sh -i' <<-'END'
		expect up
		raw
		expect #
		signal 15
		cooked
	END
	expect "status of TERM" 0 "$(status)" || return 1
	dir=$(poddir)/stage1/rootfs/rkt # it changes when the pod begins to end: supervisor-status goes
	took=$(($(stat -c %Y "$dir/status/app") - $(stat -c %Y "$dir")))
	[ $took -lt 40 ] || fail "the end took $took s"
}

t_a_terminal_whose_guest_dies() {
	at_a_terminal 'echo 2 >/proc/sys/vm/panic_on_oom; echo up; read x; tail /dev/zero' --insecure-options=paths --memory=20Mi <<-'END'
		expect up
		raw
		send \r
		expect the guest crashed
		cooked
	END
	expect status 254 "$(status)" && expect "a core nobody asked for" "" "$(ls "$(poddir)/core" 2>/dev/null)"
}

# A terminal on one side only is none: nobody types, or nobody sees.
t_half_a_terminal() {
	printf '%s\n' 'expect piped' >$OUT/keys
	ptyrun $OUT/keys sh -c "echo piped | stage0 run --net=none --insecure-options=image --dir=$DATA --stage1-path=$STAGE1 --interactive $IMAGE -- -c 'tty; cat'" >$OUT/stdout 2>&1
	expect status 0 $? && expect stdout "not a tty
piped" "$(tr -d '\r' <$OUT/stdout)"
}
