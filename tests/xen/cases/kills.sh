# Processes of a pod are killed, told to end or stopped at some point of its life. Then gc, and nothing of it may be
# left on the host; its volume is as it was, and a neighbour has noticed nothing. tests/xen/soak-dom0 does the same
# again and again.

VICTIMS=/tmp/rkt-victims # a data directory of its own
VICTIM=$OUT/victim       # what victims say
VOLUME=/tmp/rkt-volume

# The pod that each life is a copy of, at $VICTIMS.made: prepared, and moved where stage0 would have moved it.
make_victim() {
	mkdir -p $VOLUME/sub $VICTIM
	echo precious >$VOLUME/sub/file
	stage0 prepare --insecure-options=image --dir=$VICTIMS.made --stage1-path=$STAGE1 \
		--volume=v,kind=host,source=$VOLUME $IMAGE --mount=volume=v,target=/v -- \
		-c 'trap "echo bye; sleep 0.3; exit" TERM; echo new >/v/mine; echo up; sleep 1000 & wait' >$VICTIM/uuid &&
		mkdir -p $VICTIMS.made/pods/run && mv $VICTIMS.made/pods/prepared/* $VICTIMS.made/pods/run/
}
victim() { echo "$VICTIMS/pods/run/$(cat $VICTIM/uuid)"; }
entrypoint() { (cd "$(victim)" && exec stage1/rootfs/"$@" "$(cat $VICTIM/uuid)"); }
noted() { cut -d' ' -f2 <"$(victim)/backend"; } # the backend, stage1/pidnote.h
victim_domain() { xl domid "rkt-$(cat $VICTIM/uuid)"; }

begin_life() {
	rm -rf $VICTIMS
	cp -al $VICTIMS.made $VICTIMS # nobody writes to a file that is there: see the script above
	(
		cd "$(victim)" || exit 99
		exec 9<.
		flock -x 9
		RKT_LOCK_FD=9 exec stage1/rootfs/init --net=none --debug "$(cat $VICTIM/uuid)"
	) >$VICTIM/stdout 2>$VICTIM/stderr &
	life=$!
}

# The points, by what can be seen of them: mostly a line of --debug (stage1/trace.h).
reached() {
	case $1 in
	backend) [ -s "$(victim)/backend" ] ;;
	domain) victim_domain >/dev/null 2>&1 ;; # libxl is at it
	planned) said 'all is planned' ;;
	exported) said "the apps' files are exported" ;;
	built) said 'the domain is built' ;;
	runs) said 'the domain runs' ;;
	channel) said 'control channel is open' ;;
	up) grep -q ': up$' $VICTIM/stdout ;;
	bye) grep -q ': bye$' $VICTIM/stdout ;;
	ended) said 'the pod has ended' ;;
	esac
}
said() { grep -q "^stage1 run: .*$1" $VICTIM/stderr; }

await_point() {
	case $1 in
	after=*) sleep "${1#after=}" ;;
	entered)
		await_point up
		(cd "$(victim)" && exec stage1/rootfs/enter --pid=1 --appname=app -- sh -c 'echo in; sleep 1000') </dev/null >$VICTIM/entered 2>&1 &
		enterer=$!
		until grep -q in $VICTIM/entered; do sleep 0.2; done
		;;
	bye | ended)
		await_point up
		entrypoint stop && until reached $1 || [ ! -d /proc/$life ]; do sleep 0.2; done
		;;
	*) until reached $1 || [ ! -d /proc/$life ]; do sleep 0.2; done ;;
	esac
}

# stop_life [--force]: one that has not yet written its number, if it is stage1 yet, is known to nobody: it is killed
stop_life() {
	[ -e "$(victim)/pid" ] || { kill -KILL $life 2>/dev/null; return 0; }
	entrypoint stop "$@"
}

# half_a_gc SECONDS: one that is killed after that time, if it has not ended by then
half_a_gc() {
	entrypoint gc &
	collector=$!
	sleep $1
	kill -KILL $collector 2>/dev/null
	wait $collector
	true
}

# one_kill POINT WHO SIGNAL: a life, ended by it or, when it is not, by stop. WHO gc: the supervisor is killed, then
# (signal KILL=SECONDS) a gc at work on what that left.
one_kill() {
	begin_life
	enterer=
	await_point $1
	case $2 in
	supervisor | gc) pid=$life ;;
	backend) pid=$(noted 2>/dev/null) ;;
	enter) pid=$enterer ;;
	esac
	[ -z "$pid" ] || kill -${3%=*} $pid 2>/dev/null
	case $2-$3 in
	supervisor-KILL | supervisor-TERM) ;;
	gc-KILL=*) half_a_gc ${3#*=} ;;
	supervisor-STOP | backend-STOP) stop_life --force ;;
	*) reached up && stop_life || stop_life --force ;;
	esac || { fail "$*: it cannot be stopped"; return 1; }
	wait $life
	ended=$?
	[ -z "$enterer" ] || { [ $3 != STOP ] || kill -KILL $enterer; wait $enterer; }
	entrypoint gc || { fail "$*: gc fails"; return 1; }
	unchanged $OUT/clean || { fail "$*: left behind (the run's status was $ended):"; sed 's/^/#   /' $OUT/clean.diff; return 1; }
	rm -f $VOLUME/mine
	expect "$*: the volume" "$VOLUME/sub/file precious" "$(find $VOLUME -type f) $(cat $VOLUME/sub/file)"
}

random() { awk -v seed=$1 -v n=$2 'BEGIN { srand(seed); for (i = 0; i < n; i++) x = rand(); print int(rand() * 1000000) }'; }

# kills "POINT WHO SIGNAL"...
kills() {
	rm -rf $VICTIMS $VICTIMS.made $VOLUME
	make_victim || return 1
	residue >$OUT/clean
	for k in "$@"; do
		one_kill $k || return 1
	done
	rm -rf $VICTIMS $VICTIMS.made $VOLUME
}

# The same beside a pod that lives on.
kills_beside_a_neighbour() {
	start 'echo up; while :; do sleep 2; echo alive; done' || return 1
	neighbour=$(xl domid "rkt-$(uuid)")
	kills "$@" || return 1
	expect "the neighbour's domain" $neighbour "$(xl domid "rkt-$(uuid)")" || return 1
	lines=$(wc -l <$OUT/stdout)
	wait_for "the neighbour" sh -c "[ \$(wc -l <$OUT/stdout) -gt $lines ]" || return 1
	kill -TERM $(supervisor)
	finish
	expect "the neighbour's status" 0 "$(status)"
}

t_kill_the_supervisor_early() {
	kills 'exported supervisor KILL' 'backend supervisor KILL' 'domain supervisor KILL'
}

t_kill_the_supervisor_late() {
	kills_beside_a_neighbour 'built supervisor KILL' 'channel supervisor KILL' 'bye supervisor KILL'
}

t_kill_the_backend() {
	kills 'backend backend STOP' 'built backend KILL' 'runs backend STOP'
}

t_kill_stop_and_end() {
	kills 'planned supervisor TERM' 'domain supervisor STOP' 'entered enter STOP'
}

# A stopped supervisor hears stop; a stopped backend does not keep gc, whoever has been killed besides.
t_kill_what_is_stopped() {
	start 'echo up; sleep 1000' || return 1
	kill -STOP $(supervisor)
	(cd "$(poddir)" && stage1/rootfs/stop "$(uuid)") || return 1
	finish
	expect status 0 "$(status)" || return 1
	start 'echo up; sleep 1000' || return 1
	kill -STOP $(backend)
	kill -KILL $(supervisor)
	finish
	gc 2>>$OUT/stderr && gc 2>>$OUT/stderr || return 1
	expect "the note of its backend" "" "$(ls "$(poddir)/backend" 2>/dev/null)"
}

t_kill_gc_at_its_work() {
	kills_beside_a_neighbour 'up gc KILL=0.2' 'up gc KILL=0.5' 'built gc KILL=0.8' 'channel gc KILL=1.2'
}

t_kill_at_random() {
	seed=${SEED:-$(date +%s)}
	echo "# seed $seed"
	kills "after=$(($(random $seed 1) % 3)).$(($(random $seed 2) % 10)) supervisor KILL" \
		"after=$(($(random $seed 3) % 6)).$(($(random $seed 4) % 10)) backend KILL"
}
