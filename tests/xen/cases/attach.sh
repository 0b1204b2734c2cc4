# Attaching to apps whose streams wait for it.

RKT_EXPERIMENT_ATTACH=true
export RKT_EXPERIMENT_ATTACH

# start_waiting SCRIPT FLAGS...: a pod in the background, once its app has started
start_waiting() {
	script=$1
	shift
	make_attach
	pod $IMAGE "$@" -- -c "$script" >$OUT/stdout 2>$OUT/stderr &
	started=$!
	wait_for "the pod" test -s $OUT/uuid && stage0 --dir=$DATA status --wait-ready "$(uuid)" >/dev/null
}

# settled: its app has made /up, and what it wrote before that went to those who were there: somebody who enters hears of
# his end after that
settled() {
	wait_for "the app" test -e "$(poddir)/stage1/rootfs/opt/stage2/app/rootfs/up" &&
		stage0 --dir=$DATA enter "$(uuid)" /bin/true </dev/null
}

# $OUT/attach FLAGS...: a program, so that $! is its pid
make_attach() {
	printf '%s\n' '#!/bin/sh' "exec stage0 --dir=$DATA attach \"\$@\" \$(cat $OUT/uuid)" >$OUT/attach
	chmod +x $OUT/attach
}

# attached FILE: it is, and says so (--debug) in FILE
attached() {
	wait_for "it to be attached" grep -q 'attached to' "$1"
}

STREAMS="--stdin=stream --stdout=stream --stderr=stream"
ECHO='while read x; do [ "$x" = quit ] && exit 3; echo "err $x" >&2; echo "out $x"; done'

t_attach_says_what_there_is() {
	start_waiting "$ECHO" $STREAMS || return 1
	$OUT/attach --mode=list >$OUT/list
	expect "status of list" 0 $? && expect list '{
    "version": 1,
    "targets": [
        {
            "name": "stdin",
            "domain": "unix",
            "address": "/rkt/iottymux/app/sock-stdin"
        },
        {
            "name": "stdout",
            "domain": "unix",
            "address": "/rkt/iottymux/app/sock-stdout"
        },
        {
            "name": "stderr",
            "domain": "unix",
            "address": "/rkt/iottymux/app/sock-stderr"
        }
    ]
}' "$(cat $OUT/list)" && expect "its last byte" '}' "$(tail -c 1 $OUT/list)" || return 1
	$OUT/attach --mode=tty </dev/null >$OUT/a.out 2>$OUT/a.err
	expect "no terminal" 254 $? && expect stderr "stage1 attach: app 'app' has no tty-in, tty-out: it has stdin, stdout, stderr" "$(cat $OUT/a.err)" || return 1
	$OUT/attach --app=web </dev/null 2>$OUT/a.err
	expect "no such app" 254 $? && expect stderr "stage1 attach: the pod has no app 'web'" "$(cat $OUT/a.err)" || return 1
	stage0 --dir=$DATA stop "$(uuid)" >/dev/null
	wait $started
	$OUT/attach </dev/null 2>$OUT/a.err
	expect "a pod that has ended" 254 $? || return 1
	rm $OUT/uuid
	start_waiting 'sleep 1000' || return 1
	$OUT/attach --mode=list 2>$OUT/a.err
	expect "an app with nothing to attach to" 254 $? && expect stderr "stage1 attach: app 'app': none of its streams is of mode stream or tty" "$(cat $OUT/a.err)"
	ret=$?
	stage0 --dir=$DATA stop "$(uuid)" >/dev/null
	wait $started
	return $ret
}

t_attach_to_streams() {
	start_waiting "echo nobody hears; : >/up; $ECHO" $STREAMS && settled || return 1
	mkfifo $OUT/a.in $OUT/b.in
	$OUT/attach <$OUT/a.in >$OUT/a.out 2>$OUT/a.err &
	a=$!
	exec 7>$OUT/a.in
	echo one >&7
	wait_for "the answer" grep -q 'out one' $OUT/a.out || return 1
	$OUT/attach --mode=stdin,stdout <$OUT/b.in >$OUT/b.out 2>$OUT/b.err &
	b=$!
	exec 8>$OUT/b.in
	echo two >&8
	wait_for "the answer" grep -q 'out two' $OUT/b.out || return 1
	echo three | $OUT/attach --mode=stdin
	expect "input only" 0 $? || return 1
	wait_for "both to hear" sh -c "grep -q 'err three' $OUT/a.err && grep -q 'out three' $OUT/a.out && grep -q 'out three' $OUT/b.out" || return 1
	kill -KILL $a
	wait $a 2>/dev/null
	exec 7>&-
	echo four >&8
	wait_for "the other" grep -q 'out four' $OUT/b.out || return 1
	settled || return 1
	exec 8>&- # the end of its input is not the app's
	$OUT/attach --debug --mode=stderr >$OUT/c.out 2>$OUT/c.err </dev/null &
	c=$!
	attached $OUT/c.err || return 1
	echo five | $OUT/attach --mode=stdin
	wait_for "who has come late" grep -q 'err five' $OUT/c.err || return 1
	kill -TERM $c
	wait $c
	expect "one who is told to go" 0 $? || return 1
	echo quit | $OUT/attach --mode=stdin
	wait $b
	expect "one whose app ends" 0 $? || return 1
	wait $started
	expect "status of the pod" 3 $? && expect "the first" "out one
out two
out three|err one
err two
err three" "$(cat $OUT/a.out)|$(cat $OUT/a.err)" && expect "the second" "out two
out three
out four
out five|" "$(cat $OUT/b.out)|$(cat $OUT/b.err)" && expect "the late one" "|stage1 attach: attached to stderr
err five" "$(cat $OUT/c.out)|$(cat $OUT/c.err)" &&
		expect "our own output" "" "$(cat $OUT/stdout $OUT/stderr)"
}

t_attach_ends_with_the_pod() {
	start_waiting 'trap "echo bye; exit 0" TERM; : >/up; while :; do sleep 0.1; done' $STREAMS && settled || return 1
	$OUT/attach --debug --mode=stdout,stderr </dev/null >$OUT/a.out 2>$OUT/a.err &
	a=$!
	$OUT/attach --debug --mode=stdout </dev/null 2>$OUT/b.err | head -n 1 >$OUT/b.out & # its reader goes away
	b=$!
	attached $OUT/a.err && attached $OUT/b.err || return 1
	stage0 --dir=$DATA stop "$(uuid)" >/dev/null
	wait $a
	expect "status of attach" 0 $? || return 1
	wait $b
	wait $started
	expect "status of the pod" 0 $? && expect "last words" bye "$(cat $OUT/a.out)" && expect "last words" bye "$(cat $OUT/b.out)" || return 1
	rm $OUT/uuid
	start_waiting 'sleep 1000' $STREAMS || return 1
	$OUT/attach --debug </dev/null >$OUT/a.out 2>$OUT/a.err &
	a=$!
	attached $OUT/a.err || return 1
	kill -KILL $(supervisor)
	wait $started
	wait $a
	expect "status without a supervisor" 254 $? && expect stderr "stage1 attach: the pod has ended" "$(tail -n 1 $OUT/a.err)" || return 1
	gc
}

# Who does not read holds the app up for a while, and then is let go: nobody else loses anything.
t_attach_and_do_not_read() {
	start_waiting 'read x; cat /random; echo written >&2; read x' --stdin=stream --stdout=stream || return 1
	mkfifo $OUT/pipe
	$OUT/attach --debug --mode=stdout </dev/null >$OUT/pipe 2>$OUT/slow.err &
	slow=$!
	exec 8<$OUT/pipe
	$OUT/attach --debug --mode=stdout </dev/null >$OUT/quick.out 2>$OUT/quick.err &
	quick=$!
	attached $OUT/slow.err && attached $OUT/quick.err || return 1
	echo go | $OUT/attach --mode=stdin
	wait_for "all of it" grep -q written $OUT/stderr || return 1
	echo end | $OUT/attach --mode=stdin
	wait $quick
	expect "status of the quick one" 0 $? && expect "what it read" "$(sha256sum <random)" "$(sha256sum <$OUT/quick.out)" ||
		{ cat $OUT/quick.err; return 1; }
	head -c 1000000 <&8 | cat >$OUT/slow.out
	exec 8<&-
	wait $slow
	expect "status of the slow one" 254 $? && expect stderr "stage1 attach: detached: what the app writes was not read" "$(tail -n 1 $OUT/slow.err)" || return 1
	head -c $(stat -c %s $OUT/slow.out) random | cmp - $OUT/slow.out || { fail "what it did read is wrong"; return 1; }
	wait $started
	expect "status of the pod" 0 $?
}

# at_attached: a user at a terminal attaches and does what the lines on stdin say
at_attached() {
	cat >$OUT/keys
	ptyrun $OUT/keys $OUT/attach "$@" >$OUT/a.out 2>$OUT/a.err
	status=$?
	[ $status = 0 ] || cat -v $OUT/a.err $OUT/a.out | sed 's/^/# /'
	return $status
}

t_attach_a_terminal() {
	start_waiting 'trap "stty size" WINCH; trap "echo intr" INT; tty; : >/up; while :; do read x && echo "got $x"; [ "$x" = quit ] && exit 0; done' --stdin=tty --stdout=tty --stderr=tty &&
		settled || return 1
	at_attached --mode=tty <<-'END'
		raw
		expect 24 80
		size 50 132
		expect 50 132
		send a\r
		expect got a
		send \x03
		expect intr
		send \x1d\x1d\x1d
		cooked
	END
	expect "one who leaves" 0 $? && expect "what was written before" 0 "$(grep -c /dev/pts $OUT/a.out)" || return 1
	at_attached <<-'END'
		raw
		expect 24 80
		send b\r
		expect got b
		signal 15
		cooked
	END
	expect "one who is told to" 0 $? || return 1
	$OUT/attach --debug --mode=tty-out </dev/null >$OUT/b.out 2>$OUT/b.err &
	b=$!
	attached $OUT/b.err || return 1
	at_attached --mode=tty <<-'END'
		raw
		send quit\r
		expect got quit
		cooked
	END
	expect "one whose app ends" 0 $? || return 1
	wait $b
	expect "one who looks on" 0 $? && grep -q 'got quit' $OUT/b.out || return 1
	wait $started
	expect "status of the pod" 0 $? && expect "our own output" "" "$(cat $OUT/stdout $OUT/stderr)"
}

# Of a mutable pod: what an app that came later offers, whoever has gone before it.
t_attach_to_apps_that_were_added() {
	make_attach
	begin_sandbox --net=none || return 1
	app add "$(uuid)" $IMAGE --name=one $STREAMS -- -c "$ECHO" &&
		app add "$(uuid)" $IMAGE --name=two --stdin=tty --stdout=tty --stderr=tty -- -c 'tty; while read x; do echo "got $x"; [ "$x" = quit ] && exit 0; done' ||
		{ cat $OUT/app.err; return 1; }
	$OUT/attach --app=one --mode=list 2>$OUT/a.err
	expect "before its start" 254 $? && expect stderr "stage1 attach: app 'one' has not been started" "$(cat $OUT/a.err)" || return 1
	app start "$(uuid)" --app=one && app start "$(uuid)" --app=two || { cat $OUT/app.err; return 1; }
	expect "endpoints" 3 "$($OUT/attach --app=one --mode=list | grep -c '/rkt/iottymux/one/sock-std')" || return 1
	mkfifo $OUT/a.in
	$OUT/attach --app=one <$OUT/a.in >$OUT/a.out 2>$OUT/a.err &
	a=$!
	exec 7>$OUT/a.in
	echo word >&7
	wait_for "the answer" grep -q 'out word' $OUT/a.out && wait_for "the answer" grep -q 'err word' $OUT/a.err || return 1
	at_attached --app=two --mode=tty <<-'END'
		raw
		send quit\r
		expect got quit
		cooked
	END
	expect "one at the terminal" 0 $? || return 1
	echo quit >&7
	wait $a
	expect "one whose app ends" 0 $? || return 1
	exec 7>&-
	# under the old name: the old number may still be in use, the new one's streams are meant
	app rm "$(uuid)" --app=one && app add "$(uuid)" $IMAGE --name=one $STREAMS -- -c "$ECHO" && app start "$(uuid)" --app=one || { cat $OUT/app.err; return 1; }
	$OUT/attach --app=one --debug --mode=stdout </dev/null >$OUT/b.out 2>$OUT/b.err &
	b=$!
	attached $OUT/b.err || return 1
	echo again | $OUT/attach --app=one --mode=stdin
	wait_for "the answer" grep -q 'out again' $OUT/b.out || return 1
	stage0 stop --dir=$DATA "$(uuid)" >/dev/null
	wait $b
	expect "one whose pod ends" 0 $? || return 1
	wait $started
	expect status 0 $? && expect "our own output" "" "$(cat $OUT/stdout)" || return 1
	stage0 rm --dir=$DATA "$(uuid)" >/dev/null
}

# What rkt calls logmode k8s-plain: with nobody attached, and with somebody.
t_logs_for_kubelet() {
	mkdir $OUT/cri
	echo "of the last one" >$OUT/cri/app_0.log
	cri() {
		start_waiting 'read x; echo "out $x"; echo err >&2; printf "no newline"; exit 4' $STREAMS "$@" \
			--pod-annotation=coreos.com/rkt/experiment/logmode=k8s-plain --pod-annotation=coreos.com/rkt/experiment/kubernetes-log-dir=$OUT/cri
	}
	cri --annotation=coreos.com/rkt/experiment/kubernetes-log-path=app_0.log || return 1
	echo word | $OUT/attach --mode=stdin
	wait $started
	expect status 4 $? && expect log "stderr err
stdout no newline
stdout out word" "$(cut -d' ' -f2- $OUT/cri/app_0.log | sort)" &&
		expect times 3 "$(grep -cE '^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{1,9}Z ' $OUT/cri/app_0.log)" || return 1
	rm $OUT/uuid
	ln -s /etc/passwd $OUT/cri/link
	was=$(sha256sum </etc/passwd)
	for name in link ../job no/file; do
		sh_pod 'true' $STREAMS --annotation=coreos.com/rkt/experiment/kubernetes-log-path=$name \
			--pod-annotation=coreos.com/rkt/experiment/logmode=k8s-plain --pod-annotation=coreos.com/rkt/experiment/kubernetes-log-dir=$OUT/cri
		expect "status with $name" 254 "$(status)" || return 1
	done
	expect "what the link leads to" "$was" "$(sha256sum </etc/passwd)"
}
