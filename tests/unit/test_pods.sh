#!/bin/sh
# stage0's verbs at each state of a pod, with a stage1 of shell scripts that write down how they were
# called. Writes TAP. usage: test_pods.sh [BUILD]
. "${0%/*}/pods_lib.sh"
data=$dir/da:ta
TZ=UTC; export TZ data
unset RKT_LOCK_FD STUB_RUN STUB_GC STUB_STOP

# --- a stage1 whose entrypoints write down how they are called
mkdir -p stub/rkt/status stub/opt/stage2
cat >stub/lib.sh <<'END'
note() { # NAME ARGS...: into the pod's directory (our working directory)
	name=$1; shift
	{ for a; do echo "arg $a"; done
	  echo "cwd $(pwd -P)"
	  echo "stdin $(readlink /proc/$$/fd/0)"; echo "lock ${RKT_LOCK_FD-none}"; } >note.$name
}
END
cat >stub/run <<'END'
#!/bin/sh
. stage1/rootfs/lib.sh
note run "$0" "$@"
echo $$ >pid.new && mv pid.new pid
eval "${STUB_RUN-exit 0}"
END
cat >stub/enter <<'END'
#!/bin/sh
. stage1/rootfs/lib.sh
note enter "$0" "$@"
exit 42
END
cat >stub/attach <<'END'
#!/bin/sh
. stage1/rootfs/lib.sh
note attach "$0" "$@"
env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD= | sort >>note.attach
echo attached
exit 254
END
cat >stub/stop <<'END'
#!/bin/sh
. stage1/rootfs/lib.sh
note stop "$0" "$@"
echo stopping
eval "${STUB_STOP-}"
END
cat >stub/gc <<'END'
#!/bin/sh
. stage1/rootfs/lib.sh
note gc "$0" "$@"
stdout=$(readlink /proc/$$/fd/1); echo "this is not seen"
{ cat note.gc; echo "stdout $stdout"; } >"$data/../gc.note"
eval "${STUB_GC-}"
END
cat >stub/machine <<'END'
#!/bin/sh
. stage1/rootfs/lib.sh
note machine "$0" "$@"
[ "$1" != stats ] || printf '%s' "$STUB_STATS"
exit ${STUB_MACHINE-0}
END
chmod +x stub/run stub/enter stub/attach stub/stop stub/gc stub/machine
cat >stub.json <<'END'
{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/stub","annotations":[
{"name":"coreos.com/rkt/stage1/run","value":"/run"},{"name":"coreos.com/rkt/stage1/enter","value":"/enter"},
{"name":"coreos.com/rkt/stage1/attach","value":"/attach"},
{"name":"coreos.com/rkt/stage1/gc","value":"/gc"},{"name":"coreos.com/rkt/stage1/stop","value":"/stop"},
{"name":"stage1-xen.org/machine","value":"/machine"},
{"name":"coreos.com/rkt/stage1/interface-version","value":"6"}]}
END
"$pack" --format=aci stub.aci manifest=stub.json rootfs/=stub rootfs/rkt/status/ || fail "pack the stub"
mkdir -p app/bin && echo hello >app/bin/hello
cat >app.json <<'END'
{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/web","labels":[{"name":"os","value":"linux"},
{"name":"arch","value":"amd64"},{"name":"version","value":"1.2"}],"app":{"exec":["/bin/hello"],"user":"0","group":"0"}}
END
"$pack" --format=aci app.aci manifest=app.json rootfs/=app || fail "pack the app"

# run [FLAGS...]: a pod, in the foreground; $uuid is its UUID. hold: in the background, until release
run() { "$stage0" run --insecure-options=image --dir="$data" --stage1-path=stub.aci --uuid-file-save=uuid "$@" app.aci >run.out 2>err </dev/null; }
ended() { run; same "exit status of the stub" 0 $?; uuid=$(cat uuid); pod=$data/pods/run/$uuid; }
hold() {
	rm -f gate uuid; mkfifo gate
	STUB_RUN="${1-}"' read x <"$data/../gate"; eval "$x"' run --net=none &
	held=$!
	until [ -s uuid ] && [ -s "$data/pods/run/$(cat uuid)/pid" ]; do sleep 0.01; done
	uuid=$(cat uuid) pod=$data/pods/run/$uuid
}
release() { echo "${1-exit 0}" >gate; wait "$held"; }
# make STATE-DIRECTORY UUID: a pod's directory as it would be there, from one that has ended
make() { mkdir -p "$data/pods/$1" && cp -a "$sample" "$data/pods/$1/$2"; }
# until PID waits: it has started the child that asks for the lock
waits() { until [ "$(cat /proc/$1/task/$1/children)" ]; do sleep 0.01; done; }
unlock() { echo >gate2; rm gate2; }
clean() { rm -rf "$data"; }
TAB=$(printf '\t')

# --- nothing there
s 0 list; says "UUID${TAB}APP${TAB}IMAGE NAME${TAB}STATE${TAB}CREATED${TAB}STARTED${TAB}NETWORKS"; complains ""
s 0 list --no-legend; says ""
s 0 list --format=json; says null
s 0 gc; says ""; complains ""
s 254 status 1234; complains "stage0: no pod matches '1234'"
s 254 rm 1234; complains "stage0: no pod matches '1234'
stage0: failed to remove one or more pods"
s 254 stop 1234; complains "stage0: no pod matches '1234'
stage0: failed to stop 1 pod(s)"
"$stage0" --debug --dir "$data" list --no-legend >out 2>err || fail "--dir DIR before the command"
s 254 nope; complains "stage0: unknown command 'nope': see stage0 help"
"$stage0" --dir "$data" >out 2>err; complains "stage0: no command given: see stage0 help"
s 0 help; s 0 help gc; same "usage" "usage: stage0 gc [FLAGS]" "$(head -n 1 out)"
[ ! -e "$data" ] || fail "looking made the data directory"
ok "without a data directory there are no pods, and none is made"

# --- a pod that has ended
STUB_RUN='echo 3 >stage1/rootfs/rkt/status/web; exit 3' run
same "exit status" 3 $?
uuid=$(cat uuid) pod=$data/pods/run/$uuid short=$(cut -c 1-8 uuid)
touch -d '2026-01-02 03:04:05.678' "$pod/pod-created"
touch -d '2026-01-02 03:04:06' "$pod/pid"
pid=$(cat "$pod/pid")
s 0 status "$uuid"; says "state=exited
created=2026-01-02 03:04:05.678 +0000 UTC
started=2026-01-02 03:04:06 +0000 UTC
networks=
pid=$pid
exited=true
app-web=3"
s 0 status "$short"; s 0 status "$(echo "$short" | tr a-f A-F)"; s 0 status --uuid-file=uuid
s 1 status --uuid-file=nofile; complains "stage0: open nofile: No such file or directory"
s 254 status --uuid-file=uuid "$uuid"; complains "stage0: either a UUID or --uuid-file, not both"
s 254 status; complains "stage0: no pod given: a UUID, or its beginning, or --uuid-file=FILE"
s 254 status a b; complains "stage0: one pod only, 'b' is too much"
s 254 status --wait=soon a; complains "stage0: --wait: 'soon' is not a duration such as 90s or 1h30m"
s 254 status --format=xml "$uuid"; complains "stage0: --format: 'xml' is neither json nor json-pretty"
s 0 status --wait --wait-ready=false "$uuid"
s 254 status --wait-ready "$uuid"; complains "stage0: pod $uuid was not ready before it was exited"
echo '[{"netName":"default","netConf":"net/1.conf","pluginPath":"p","ifName":"eth0","ip":"172.16.28.2","args":"","mask":"255.255.255.0"},{"netName":"two","ip":"10.0.0.1"}]' >"$pod/net-info.json"
s 0 list --full --no-legend
id=$(sed 's/.*"id":"\(sha512-............\).*/\1/' "$pod/pod")
says "$uuid${TAB}web${TAB}example.com/web:1.2${TAB}$id${TAB}exited${TAB}2026-01-02 03:04:05.678 +0000 UTC${TAB}2026-01-02 03:04:06 +0000 UTC${TAB}default:ip4=172.16.28.2, two:ip4=10.0.0.1"
s 0 status "$uuid"; same networks "networks=default:ip4=172.16.28.2, two:ip4=10.0.0.1" "$(grep networks out)"
id=$(sed 's/.*"id":"\(sha512-[0-9a-f]*\).*/\1/' "$pod/pod")
s 0 status --format=json "$uuid"
says '{"name":"'"$uuid"'","state":"exited","networks":[{"netName":"default","netConf":"net/1.conf","pluginPath":"p","ifName":"eth0","ip":"172.16.28.2","args":"","mask":"255.255.255.0"},{"netName":"two","netConf":"","pluginPath":"","ifName":"","ip":"10.0.0.1","args":"","mask":""}],"app_names":["web"],"apps":[{"name":"web","state":"exited","created_at":1767323045678000000,"started_at":1767323046000000000,"exit_code":3,"image_id":"'"$id"'"}],"created_at":1767323045,"started_at":1767323046}'
mv out one; s 0 list --format=json; says "[$(cat one)]"
s 0 list --format=json-pretty; same "line of pretty" "		\"name\": \"$uuid\"," "$(sed -n 3p out)"
s 0 stop "$uuid"; says "pod \"$uuid\" is already stopped"
s 254 enter "$uuid"; complains "stage0: pod \"$uuid\" isn't currently running"
RKT_EXPERIMENT_ATTACH=true s 254 attach "$uuid"; complains "stage0: pod \"$uuid\" isn't currently running"
s 0 cat-manifest --pretty-print=false "$uuid"; says "$(cat "$pod/pod")"
s 0 cat-manifest "$uuid"; same "line of pretty" "	\"acVersion\": \"1.30.0\"," "$(sed -n 2p out)"
ok "a pod that has ended: list, status, stop, enter, cat-manifest"

# --- names
other=$(echo "$uuid" | cut -c 1-35)
last=$(echo "$uuid" | cut -c 36)
[ "$last" = 0 ] && other=${other}1 || other=${other}0
cp -a "$pod" "$data/pods/run/$other"
s 254 status "$short"; complains "stage0: '$short' is ambiguous: 2 pods begin so"
s 254 status ""; complains "stage0: an empty UUID"
mkdir "$data/pods/run/strange"; touch "$data/pods/run/file"
s 0 list --no-legend; same lines 2 "$(wc -l <out)"
rm -rf "${data:?}/pods/run/$other" "$data/pods/run/strange" "$data/pods/run/file"
sample=$dir/sample; cp -a "$pod" "$sample"; clean
ok "beginnings of UUIDs, and what is no pod"

# --- running
hold
s 0 status "$uuid"; same state "state=running" "$(head -n 1 out)"; same exited "exited=false" "$(tail -n 1 out)"
s 0 list --no-legend; same state running "$(awk -F'\t+' '{ print $4 }' out)"
s 254 rm "$uuid"; complains "stage0: pod \"$uuid\" is currently running
stage0: failed to remove one or more pods"
s 0 gc --grace-period=0s; says ""; complains ""
s 254 status --wait=20ms "$uuid"; complains "stage0: pod $uuid has not ended in that time: it is running"
s 254 status --wait-ready=20ms "$uuid"; complains "stage0: pod $uuid is not ready in that time: it is running"
"$stage0" --dir="$data" status --wait-ready "$uuid" >ready 2>&1 &
ready=$!
"$stage0" --dir="$data" status --wait "$uuid" >waited 2>&1 &
waiter=$!; waits $ready; waits $waiter
ln -s almost "$pod/stage1/rootfs/rkt/supervisor-status"; rm "$pod/stage1/rootfs/rkt/supervisor-status"
ln -s ready "$pod/stage1/rootfs/rkt/supervisor-status"
wait $ready; same "status --wait-ready" "0 state=running" "$? $(head -n 1 ready)"
s 42 enter "$uuid" /bin/ls -l --app=x
same "argv of enter" "arg $pod/stage1/rootfs/enter
arg --pid=$(cat "$pod/pid")
arg --appname=web
arg --
arg /bin/ls
arg -l
arg --app=x
cwd $pod" "$(grep -v -e ^stdin -e ^lock "$pod/note.enter")"
s 42 enter --app=other "$uuid"; same "the shell" "arg /bin/bash" "$(sed -n 5p "$pod/note.enter")"
same "the app" "arg --appname=other" "$(sed -n 3p "$pod/note.enter")"
complains 'stage0: no command specified, assuming "/bin/bash"'
s 254 enter --app=UP "$uuid"; complains "stage0: --app: 'UP' is not an app name"
s 254 enter; complains "stage0: no pod given: a UUID, or its beginning"
tree=$data/cas/tree/$(cat "$pod/stage1TreeStoreID")/rootfs
mkdir -p "$tree"; cp "$pod/stage1/rootfs/enter" "$tree/"
s 42 enter "$uuid" true; same "from the tree store" "arg $tree/enter" "$(sed -n 1p "$pod/note.enter")"
s 254 attach "$uuid"; complains "stage0: attach is an experiment of rkt's: it needs RKT_EXPERIMENT_ATTACH=true in the environment"
RKT_EXPERIMENT_ATTACH=true; export RKT_EXPERIMENT_ATTACH
s 254 attach "$uuid"; says attached; complains ""
same "argv and environment of attach" "arg $pod/stage1/rootfs/attach
arg --action=auto-attach
arg --app=web
arg --debug=false
cwd $pod
PATH=$PATH
RKT_STAGE1_ENTERCMD=$pod/stage1/rootfs/enter
RKT_STAGE1_ENTERPID=$(cat "$pod/pid")" "$(grep -v -e ^stdin -e ^lock "$pod/note.attach")"
s 254 --debug attach --mode=list --app=other "$uuid"
same "a list" "--action=list --app=other --debug=true" "$(echo $(sed -n '2,4s/^arg //p' "$pod/note.attach"))"
s 254 attach --mode=stdin,stderr "$uuid"
same "streams" "--action=custom-attach --stdin=true --stdout=false --stderr=true --tty-in=false --tty-out=false --app=web" "$(echo $(sed -n '2,8s/^arg //p' "$pod/note.attach"))"
s 254 attach --mode=tty "$uuid"
same "a terminal" "--stdin=false --stdout=false --stderr=false --tty-in=true --tty-out=true" "$(echo $(sed -n '3,7s/^arg //p' "$pod/note.attach"))"
s 254 attach --mode=tty-out,stdin "$uuid"; complains "stage0: --mode=tty-out,stdin: a terminal and streams cannot be attached together"
s 254 attach --mode=stdin,no "$uuid"; complains "stage0: --mode=stdin,no: 'no' is no endpoint: list, auto, tty, tty-in, tty-out, or of stdin,stdout,stderr some"
s 254 attach --app=UP "$uuid"; complains "stage0: --app: 'UP' is not an app name"
s 254 attach; complains "stage0: no pod given: a UUID, or its beginning, or --uuid-file=FILE"
s 0 stop "$uuid"; says "stopping
\"$uuid\""
same "argv of stop" "arg $pod/stage1/rootfs/stop
arg $uuid
cwd $pod
stdin /dev/null
lock none" "$(cat "$pod/note.stop")"
s 254 stop --force 1234 "$uuid"; same "argv of stop --force" "arg --force" "$(sed -n 2p "$pod/note.stop")"
complains "stage0: no pod matches '1234'
stage0: failed to stop 1 pod(s)"
STUB_STOP='exit 7'; export STUB_STOP
s 254 stop --uuid-file=uuid; complains "stage0: error stopping \"$uuid\": $pod/stage1/rootfs/stop ended with status 7
stage0: failed to stop 1 pod(s)"
unset STUB_STOP
s 1 stop --uuid-file=nofile
kill -0 $waiter || fail "status --wait did not wait"
release 'exit 5'; same "exit status" 5 $?
wait $waiter; same "status --wait" "0 state=exited" "$? $(head -n 1 waited)"
same "argv of run" "arg $pod/stage1/rootfs/run
arg --net=none
arg --local-config=/etc/rkt
arg $uuid
cwd $pod" "$(grep -v -e ^stdin -e ^lock "$pod/note.run")"
clean
ok "a running pod: list, status and its waiting, enter, attach, stop, rm, gc"

# --- what rkt has no word for
s 0 stats; same "headings" "UUID STATE VCPUS CPU MEMORY NET IN NET OUT 9P READ 9P WRITTEN 9P CPU 9P MEMORY" "$(tr -s '\t' ' ' <out)"
s 0 stats --no-legend; says ""; s 0 stats --json; says null
hold
s 0 pause "$uuid"; says "\"$uuid\""; complains ""
same "argv of machine" "arg $pod/stage1/rootfs/machine
arg pause
arg $uuid
cwd $pod
stdin /dev/null
lock none" "$(cat "$pod/note.machine")"
s 0 resume --uuid-file=uuid; says "\"$uuid\""; same "the verb" "arg resume" "$(sed -n 2p "$pod/note.machine")"
STUB_MACHINE=3; export STUB_MACHINE
s 254 pause "$uuid" 1234; complains "stage0: error pausing \"$uuid\": $pod/stage1/rootfs/machine ended with status 3
stage0: no pod matches '1234'
stage0: failed to pause 2 pod(s)"
s 254 stats; complains "stage0: pod $uuid: $pod/stage1/rootfs/machine ended with status 3"
unset STUB_MACHINE
STUB_STATS='{"state":"paused","domid":5,"cpu":{"total_ns":1234567890,"vcpus_ns":[1,2]},"memory":{"bytes":138412032,"max_bytes":139460608},
"networks":[{"name":"eth0","received_bytes":1000,"sent_bytes":2048},{"name":"eth1","received_bytes":23,"sent_bytes":512}],
"files":{"pid":77,"cpu_ns":20000000,"memory_bytes":3145728,"read_bytes":1023,"written_bytes":1610612736}}'
export STUB_STATS
s 0 stats --no-legend --full
same "a line" "$uuid paused 2 1.235s 132.0MiB 1023B 2.5KiB 1023B 1.5GiB 0.020s 3.0MiB" "$(tr -s '\t' ' ' <out)"
s 0 stats --no-legend "$uuid"; same "short" "$(cut -c 1-8 uuid)" "$(cut -f 1 out)"
s 0 stats --json; same "the same as JSON" "[{\"uuid\":\"$uuid\",$(echo "$STUB_STATS" | tr -d '\n' | cut -c 2-)]" "$(cat out)"
STUB_STATS='{"state":"paused"}' s 254 stats; complains "stage0: pod $uuid: stats.cpu: missing"
STUB_STATS= s 0 stats --no-legend; says ""; complains "" # it starts, or ends: there is no domain
STUB_STATS= s 0 stats --json; says null
STUB_STATS= s 254 stats "$uuid"; complains "stage0: pod $uuid: it has no domain: it is starting or ending"
STUB_STATS='{' s 254 stats "$uuid"; grep -q "^stage0: pod $uuid: stats: " err || fail "an answer that is no JSON: $(cat err)"
STUB_STATS=$(head -c 120000 /dev/zero | tr '\0' ' ') s 254 stats
complains "stage0: pod $uuid: $pod/stage1/rootfs/machine: larger than 65536 bytes"
sed -i 's/stage1-xen.org.machine/example.com/' "$pod/stage1/manifest"
s 254 pause "$uuid"; same "an older stage1" "stage0: error pausing \"$uuid\": its stage1 knows no 'pause'" "$(head -n 1 err)"
release
s 254 pause "$uuid"; complains "stage0: pod \"$uuid\" is not running
stage0: failed to pause 1 pod(s)"
s 254 resume "$uuid"; s 254 stats "$uuid"; complains "stage0: pod \"$uuid\" is not running"
unset STUB_STATS; clean
ok "a running pod: pause, resume, stats"

# --- a pod whose process is not known yet
hold; rm "$pod/pid"
"$stage0" --dir="$data" enter "$uuid" true & entering=$!; waits $entering
echo " $$ junk" >"$pod/pid.new"; mv "$pod/pid.new" "$pod/pid"
wait $entering; same "exit status of enter" 42 $?
same "a number and more" "arg --pid=$$" "$(sed -n 2p "$pod/note.enter")"
echo junk >"$pod/pid"; sh -c 'sleep 100 & wait' & sleep_parent=$!
echo $sleep_parent >"$pod/ppid"
s 0 status "$uuid"; same "pid from ppid" "pid=$sleep_parent" "$(grep pid= out)"
s 42 enter "$uuid" true
same "the only child" "arg --pid=$(cat /proc/$sleep_parent/task/$sleep_parent/children | tr -d ' ')" "$(sed -n 2p "$pod/note.enter")"
kill $(cat /proc/$sleep_parent/task/$sleep_parent/children); wait $sleep_parent 2>/dev/null
rm "$pod/pid" "$pod/ppid"
"$stage0" --dir="$data" enter "$uuid" true 2>err & entering=$!; waits $entering
release
wait $entering; same "exit status of enter" 254 $?
complains "stage0: pod $uuid is not running any more"
clean
ok "enter waits for the pod's process: pid, ppid's child, or the pod's end"

# --- every other state
u=11111111-2222-3333-4444-55555555555
rm -f "$sample/net-info.json"
make embryo ${u}0; make prepare ${u}1; make prepare ${u}2; make prepared ${u}3; make exited-garbage ${u}4
make exited-garbage ${u}5; make garbage ${u}6
rm -f locked; mkfifo gate2
flock -x "$data/pods/prepare/${u}2" flock -x "$data/pods/exited-garbage/${u}5" sh -c 'echo >locked; read x <gate2' &
until [ -e locked ]; do sleep 0.01; done
s 0 list --no-legend --full
same "states" "${u}1 aborted prepare
${u}2 preparing
${u}3 prepared
${u}4 exited garbage
${u}5 exited deleting" "$(awk -F'\t+' '{ print $1, $5 }' out)"
same "apps of what is being prepared" "- - -" "$(awk -F'\t+' 'NR == 1 { print $2, $3, $4 }' out)"
s 254 status ${u}0; s 254 status ${u}6 # not to be named, as in rkt
s 0 status ${u}1; says "state=aborted prepare
created=0001-01-01 00:00:00 +0000 UTC"
s 254 status --format=json ${u}1; complains "stage0: pod ${u}1: when it was created is not known"
s 0 status ${u}3; same prepared "state=prepared
created=2026-01-02 03:04:05.678 +0000 UTC" "$(cat out)"
s 0 status ${u}4; same exited "exited=true" "$(grep exited= out)"; same networks "" "$(grep networks out)"
s 0 status ${u}5; same exited "exited=false" "$(grep exited= out)"
s 254 stop ${u}1 ${u}2 ${u}3; complains "stage0: pod \"${u}1\" is not running
stage0: pod \"${u}2\" is not running
stage0: pod \"${u}3\" is not running
stage0: failed to stop 3 pod(s)"
s 0 stop ${u}4 ${u}5
s 254 rm ${u}2; complains "stage0: pod \"${u}2\" is currently being prepared
stage0: failed to remove one or more pods"
s 254 rm ${u}5; complains "stage0: pod \"${u}5\" is currently being deleted
stage0: failed to remove one or more pods"
for i in 1 3 4; do
	s 0 rm ${u}$i; says "\"${u}$i\""; complains ""
done
same "argv of gc" "arg $data/pods/exited-garbage/${u}4/stage1/rootfs/gc
arg --local-config
arg /etc/rkt
arg ${u}4
cwd $data/pods/exited-garbage/${u}4
stdin /dev/null
lock none
stdout /dev/null" "$(cat gc.note)"
same "pods left" "embryo/${u}0 exited-garbage/${u}5 garbage/${u}6 prepare/${u}2" \
	"$(cd "$data/pods" && echo */*-* | tr ' ' '\n' | grep -v '/\*' | tr '\n' ' ' | sed 's/ $//')"
"$stage0" --dir="$data" status --wait ${u}2 >waited 2>&1 & waiter=$!; waits $waiter
mv "$data/pods/prepare/${u}2" "$data/pods/prepared/"
unlock
mkdir -p "$data/pods/run"; mv "$data/pods/prepared/${u}2" "$data/pods/run/"
wait $waiter; same "waited through the states" "0 state=exited" "$? $(head -n 1 waited)"
clean
ok "embryo, prepare, prepared, exited garbage, garbage: list, status, stop, rm"

# --- who only reads has a shared lock
make run ${u}1; make prepared ${u}2
exec 7<"$data/pods/run/${u}1"; flock -s 7
s 254 rm ${u}1; complains "stage0: pod \"${u}1\" is in use by another command
stage0: failed to remove one or more pods"
s 0 gc --grace-period=0s; says ""; complains "" # the next one's
"$stage0" --dir="$data" rm ${u}1 >removed 2>err 7<&- & removing=$!
until [ "$(cut -d ' ' -f 1 /proc/$removing/syscall)" = 230 ]; do # clock_nanosleep
	[ -e /proc/$removing/exe ] || fail "rm did not wait for who reads"
	sleep 0.01
done
flock -u 7; wait $removing; same "rm beside a reader" "0 \"${u}1\"" "$? $(cat removed)"; complains ""
exec 7<"$data/pods/prepared/${u}2"; flock -x 7
s 254 rm ${u}2; complains "stage0: pod \"${u}2\" is in use by another command
stage0: failed to remove one or more pods"
exec 7<&-; clean
ok "rm waits a moment for who reads, and says when a pod is in use"

# --- gc
make run ${u}1; make prepare ${u}2; make prepared ${u}3; make exited-garbage ${u}4; make garbage ${u}5
mkdir -p "$data/pods/embryo/${u}6"; make embryo ${u}7
s 0 gc --mark-only
complains "stage0: moving pod \"${u}1\" to garbage
stage0: moving failed prepare \"${u}2\" to garbage"
says ""
s 0 gc; complains "stage0: pod \"${u}1\" not removed: still within grace period (30m0s)
stage0: pod \"${u}4\" not removed: still within grace period (30m0s)"
says "Garbage collecting pod \"${u}2\"
Garbage collecting pod \"${u}5\""
s 254 gc --grace-period=0s --expire-prepared=0s
complains "stage0: moving expired prepared pod \"${u}3\" to garbage
stage0: remove $data/pods/embryo/${u}7: Directory not empty"
says "Garbage collecting pod \"${u}1\"
Garbage collecting pod \"${u}4\"
Garbage collecting pod \"${u}3\""
same "pods left" "embryo/${u}7" "$(cd "$data/pods" && echo */*-* | tr ' ' '\n' | grep -v '/\*')"
s 254 gc ${u}1; complains "stage0: gc is for all pods, '${u}1' is too much: see rm"
clean
make exited-garbage ${u}1; make exited-garbage ${u}2
STUB_GC='[ ! -e ../../../../fail ]'; export STUB_GC; touch fail
s 254 --debug gc --grace-period=0s --local-config=/conf
complains "stage0: pod ${u}1 is kept: $data/pods/exited-garbage/${u}1/stage1/rootfs/gc ended with status 1 (--force removes the pod all the same)
stage0: pod ${u}2 is kept: $data/pods/exited-garbage/${u}2/stage1/rootfs/gc ended with status 1 (--force removes the pod all the same)"
same "argv of gc" "arg --debug
arg --local-config
arg /conf" "$(sed -n 2,4p gc.note)"
s 254 rm ${u}1
s 0 rm --force ${u}1; says "\"${u}1\""
rm fail
s 0 gc --grace-period=0s; says "Garbage collecting pod \"${u}2\""
make exited-garbage ${u}1; rm "$data/pods/exited-garbage/${u}1/stage1/manifest"
make exited-garbage ${u}2; rm "$data/pods/exited-garbage/${u}2/stage1/rootfs/gc"
s 0 rm ${u}1 ${u}2
complains "stage0: warning: pod ${u}1: nothing outside of its directory is cleaned up: open stage1/manifest: No such file or directory
stage0: warning: pod ${u}2: $data/pods/exited-garbage/${u}2/stage1/rootfs/gc is not there any more"
unset STUB_GC; clean
ok "gc marks, waits for its time, removes; a pod that stage1 cannot clean up is kept"

for i in 0 1 2 3 4 5 6 7 8 9; do make run ${u}$i; done
STUB_GC='echo x >>"$data/../ran"' ; export STUB_GC; rm -f ran
for i in 1 2 3 4; do "$stage0" --dir="$data" gc --grace-period=0s >gc.$i 2>&1 & done

wait
s 0 gc --grace-period=0s
same "pods left" "" "$(ls "$data/pods/exited-garbage" "$data/pods/run" | grep 1111)"
same "each is collected once" 10 "$(cat gc.[1-4] out | sort | grep -c 'Garbage collecting')"
same "complaints" "" "$(grep -h stage0: gc.[1-4] | grep -v moving)"
same "runs of stage1's gc" 10 "$(wc -l <ran)"
unset STUB_GC; clean
ok "four gc at once"

# --- mounts below a pod
make run ${u}1; gone=$data/pods/exited-garbage/${u}1
root=$data/pods/run/${u}1/stage1/rootfs/opt/stage2/web/rootfs
mkdir -p "$root/a b" volume/sub; mount -t tmpfs none volume/sub; echo precious >volume/file; echo more >volume/sub/file
mount --rbind volume volume; mount --make-rshared volume # as all is on a host with systemd
mount --rbind volume "$root/a b"
mkdir "$root/busy"; mount -t tmpfs none "$root/busy"; mount -t tmpfs none "$root/busy"; mkdir "$root/busy/x"
exec 8<"$root/busy/x"
s 254 rm ${u}1
complains "stage0: pod ${u}1 is kept: unmount $gone/stage1/rootfs/opt/stage2/web/rootfs/busy: Device or resource busy
stage0: failed to remove one or more pods"
[ -f "$gone/stage1/rootfs/gc" ] && [ -f "$gone/pod" ] || fail "the pod was not kept"
same "the volume" "precious more" "$(cat volume/file volume/sub/file | tr '\n' ' ' | sed 's/ $//')"
exec 8<&-
s 0 rm ${u}1; says "\"${u}1\""
same "the volume" "precious more" "$(cat volume/file volume/sub/file | tr '\n' ' ' | sed 's/ $//')"
same "mounts below" "" "$(grep "$data" /proc/self/mountinfo)"
umount -R volume; clean
ok "what is mounted below a pod is unmounted first; busy, it keeps the pod; volumes stay as they are"

# --- an overlay pod, as rkt leaves it
make run ${u}1; pod=$data/pods/run/${u}1
tree=deps-sha512-stage1; mkdir -p "$data/cas/tree/$tree" "$pod/overlay/$tree/upper/rkt/status" "$pod/overlay/$tree/work"
mv "$pod/stage1/rootfs" "$data/cas/tree/$tree/rootfs"; mkdir "$pod/stage1/rootfs"
printf %s $tree >"$pod/stage1TreeStoreID"; : >"$pod/overlay-prepared"; echo 9 >"$pod/overlay/$tree/upper/rkt/status/web"
s 0 status ${u}1; same "exit code" app-web=9 "$(tail -n 1 out)"
mkfifo gate2; flock -x "$pod" sh -c 'read x <gate2' &
until ! flock -n -s "$pod" true; do sleep 0.01; done
"$stage0" --dir="$data" status --wait-ready ${u}1 >ready 2>&1 & ready=$!; waits $ready
rm -r "$pod/overlay/$tree/upper/rkt"; mkdir -p "$pod/overlay/$tree/upper/rkt"; ln -s ready "$pod/overlay/$tree/upper/rkt/supervisor-status"
wait $ready; same "status --wait-ready" "0 state=running" "$? $(head -n 1 ready)"
echo >gate2; wait; rm gate2
if mount -t overlay -o "lowerdir=$data,upperdir=$dir/up,workdir=$dir/work" none "$pod/stage1/rootfs" 2>/dev/null; then
	fail "a mount that should not work"
fi
STUB_GC='touch stage1/rootfs/written'; export STUB_GC
s 0 rm ${u}1; complains ""; unset STUB_GC
# killed when it had removed stage1 and was at the layers: what is left of a pod that ran
for i in 2 3; do
	make exited-garbage ${u}$i; pod=$data/pods/exited-garbage/${u}$i
	rm -r "$pod/stage1"; mkdir -p "$pod/overlay/$tree/upper/rkt/status"; printf %s $tree >"$pod/stage1TreeStoreID"; : >"$pod/overlay-prepared"
done
gone="nothing outside of its directory is cleaned up: open stage1/manifest: No such file or directory"
rm "$pod/stage1TreeStoreID" # and later still
s 0 rm ${u}2; complains "stage0: warning: pod ${u}2: $gone"
same "the tree store" "attach enter gc lib.sh machine opt rkt run stop" "$(ls "$data/cas/tree/$tree/rootfs" | tr '\n' ' ' | sed 's/ $//')"
s 0 gc --grace-period=0s; complains "stage0: warning: pod ${u}3: $gone"
same "pods left" "" "$(ls "$data/pods/exited-garbage")"
same "mounts below" "" "$(grep "$data" /proc/self/mountinfo)"
clean
ok "an overlay pod: status of its upper layer; gc mounts what a reboot has unmounted, and goes on where one was killed"

# --- trees that pods share
make prepared ${u}1; pod=$data/pods/prepared/${u}1
make exited-garbage ${u}2
for i in 1 2 3 4; do mkdir -p "$data/cas/tree/deps-$i/rootfs/x"; : >"$data/cas/tree/deps-$i/rendered"; done
mkdir "$data/cas/tree/.new-x" "$data/cas/treestorelocks" "$data/locks"
printf deps-1 >"$pod/stage1TreeStoreID"; printf deps-2 >"$pod/appsinfo/web/treeStoreID"
printf deps-3 >"$data/pods/exited-garbage/${u}2/stage1TreeStoreID"
trees() { s "$1" gc ${3-}; same "trees" "$2" "$(ls -A "$data/cas/tree" | LC_ALL=C sort | tr -d '\n')"; }
all=.new-xdeps-1deps-2deps-3deps-4
trees 0 $all --mark-only
exec 7>"$data/locks/prepareLock"; flock -s 7
trees 0 $all # somebody makes a pod
exec 7>"$data/cas/treestorelocks/deps-4"; flock -s 7
trees 0 $all # somebody is at it
exec 7>&-
mkdir "$pod/appsinfo/odd"; printf ../x >"$pod/appsinfo/odd/treeStoreID"
trees 254 $all
complains "stage0: pod \"${u}2\" not removed: still within grace period (30m0s)
stage0: trees that no pod has: pod ${u}1: appsinfo/odd/treeStoreID: '../x' is not the name of a tree"
rm -r "$pod/appsinfo/odd"
trees 0 .new-xdeps-1deps-2deps-3
same "locks" "" "$(ls "$data/cas/treestorelocks")"
trees 0 .new-xdeps-1deps-2 --grace-period=0s
s 0 rm ${u}1
trees 0 .new-x
# while trees are removed none is made
exec 7>"$data/locks/prepareLock"; flock 7
"$stage0" --dir="$data" prepare --insecure-options=image --no-overlay=false --stage1-path=stub.aci app.aci >out 2>err 7<&- & making=$!
until [ "$(cut -d ' ' -f 1 /proc/$making/syscall)" = 73 ]; do # flock
	[ -e /proc/$making/exe ] || fail "prepare did not wait for the lock"
	sleep 0.01
done
same "trees" .new-x "$(ls -A "$data/cas/tree")"
exec 7<&-; wait $making; same "status of prepare" 0 $?
same "trees" 2 "$(ls "$data/cas/tree" | wc -l)"
s 0 gc; same "trees" 2 "$(ls "$data/cas/tree" | wc -l)"
clean
ok "gc removes the trees that no pod has any more"

# --- files that are not what they should be
make run ${u}1; make run ${u}2; pod=$data/pods/run/${u}1
row() { s 0 list --no-legend; same "pods listed" "$1" "$(wc -l <out)"; complains "$2"; } # LINES MESSAGE
echo '[{' >"$pod/net-info.json"; row 1 "stage0: pod ${u}1: net-info.json: not JSON: ends too early"
s 254 status ${u}1; s 254 status --format=json ${u}1
echo '{}' >"$pod/net-info.json"; row 1 "stage0: pod ${u}1: net-info.json: expected array, found object"
echo '[7]' >"$pod/net-info.json"; row 1 "stage0: pod ${u}1: net-info.json[0]: expected object, found int"
echo null >"$pod/net-info.json"; row 2 ""
rm "$pod/net-info.json"; mkfifo "$pod/net-info.json"; row 1 "stage0: pod ${u}1: open net-info.json: Invalid argument"
rm "$pod/net-info.json"; cp "$pod/pod" pod.sav
echo '{"apps":[{"name":"../x"}]}' >"$pod/pod"; row 1 "stage0: pod ${u}1: pod.apps[0]: '../x' is not an app name"
echo '{"apps":7}' >"$pod/pod"; row 1 "stage0: pod ${u}1: pod.apps: expected array, found int"
: >"$pod/pod"; row 1 "stage0: pod ${u}1: pod: not JSON: ends too early"
s 254 cat-manifest ${u}1; complains "stage0: pod ${u}1: pod: not JSON: ends too early"
rm "$pod/pod"; row 1 "stage0: pod ${u}1: open pod: No such file or directory"
echo '{"apps":[]}' >"$pod/pod"; row 2 ""
cp pod.sav "$pod/pod"
printf '{"acKind":"ImageManifest","acVersion":"1.0.0","name":"a","labels":[{"name":"version","value":"\033[31m"}]}' >"$pod/appsinfo/web/manifest"
s 0 list --no-legend; same "image name" "a:?[31m" "$(awk -F'\t+' 'NR == 1 { print $3 }' out)"
echo '{}' >"$pod/appsinfo/web/manifest"; row 2 "stage0: pod ${u}1, app 'web': image manifest.acKind: missing"
same "image name" "--" "$(awk -F'\t+' 'NR == 1 { print $3 }' out)"
status=$pod/stage1/rootfs/rkt/status/web
for evil in "ln -s /proc/self/status" "mkfifo" "ln -s ../../../../pid" "mkdir"; do
	rm -rf "$status"; $evil "$status"
	s 0 status ${u}1; same "code of $evil" "" "$(grep app- out)"
done
rm -rf "$status"; echo x >"$status"; s 0 status ${u}1; same "code of junk" "" "$(grep app- out)"
echo 99999999999999 >"$pod/pid"; s 0 status ${u}1; same "pid too large" "" "$(grep pid= out)"
printf '../../run' >"$pod/stage1TreeStoreID"; : >"$pod/overlay-prepared"; s 0 status ${u}1
s 254 rm ${u}1
complains "stage0: pod ${u}1 is kept: stage1TreeStoreID: '../../run' is not the name of a tree (--force removes the pod all the same)
stage0: failed to remove one or more pods"
s 0 rm --force ${u}1
sed -i 's|"/enter"|"/../enter"|; s|"/stop"|""|' "$data/pods/run/${u}2/stage1/manifest"
flock -x "$data/pods/run/${u}2" "$stage0" --dir="$data" stop ${u}2 >out 2>err
complains "stage0: error stopping \"${u}2\": annotation 'coreos.com/rkt/stage1/stop': '' is no path in the image
stage0: failed to stop 1 pod(s)"
flock -x "$data/pods/run/${u}2" "$stage0" --dir="$data" enter ${u}2 >out 2>err
complains "stage0: annotation 'coreos.com/rkt/stage1/enter': '/../enter' is no path in the image"
clean
ok "malformed and hostile files: said, and the other pods are shown"

# --- prepare and run-prepared
s 0 prepare --insecure-options=image --quiet --stage1-path=stub.aci app.aci; uuid=$(cat out); complains ""
[ "${#uuid}" = 36 ] && [ -d "$data/pods/prepared/$uuid" ] || fail "printed '$uuid'"
s 0 list --no-legend; same "list" "web prepared" "$(awk -F'\t+' '{ print $2, $4 }' out)"
s 0 status --format=json "$uuid"; grep -q '"state":"created"' out || fail "an app that is not created: $(cat out)"
s 254 run-prepared; complains "stage0: no pod given: a UUID, or its beginning"
s 254 run-prepared a b; complains "stage0: one pod only, 'b' is too much"
s 254 run-prepared "$uuid" -- x; complains "stage0: a prepared pod takes no arguments"
s 254 run-prepared "$uuid" --volume=x; complains "stage0: unknown flag --volume"
mv "$data/pods/prepared/$uuid/stage1/manifest" m
s 254 run-prepared "$uuid"; complains "stage0: pod $uuid: open stage1/manifest: No such file or directory"
mv m "$data/pods/prepared/$uuid/stage1/manifest"
"$stage0" --dir="$data" status --wait "$uuid" >waited 2>&1 & waiter=$!
until grep -q "^inotify wd:.* mask:" "/proc/$waiter/fdinfo/"* 2>/dev/null; do sleep 0.01; done
printf 65536:65536 >"$data/pods/prepared/$uuid/private-users-prepared"
STUB_RUN='exit 9' s 9 --debug run-prepared --net=none --hostname=h "$uuid"
wait $waiter; same "status --wait" "0 state=exited" "$? $(head -n 1 waited)"
pod=$data/pods/run/$uuid
same "argv of run" "arg $pod/stage1/rootfs/run
arg --debug
arg --net=none
arg --private-users=65536:65536
arg --local-config=/etc/rkt
arg --hostname=h
arg $uuid
cwd $pod" "$(grep -v -e ^stdin -e ^lock "$pod/note.run")"
s 254 run-prepared "$uuid"; complains "stage0: pod \"$uuid\" is not prepared: it is exited"
s 254 prepare --insecure-options=image --stage1-path=app.aci app.aci
complains "stage0: image app.aci: no annotation 'coreos.com/rkt/stage1/run': not a stage1"
s 254 prepare --insecure-options=image --stage1-path=stub.aci; complains "stage0: no image given"
s 254 prepare --insecure-options=image --net=none --stage1-path=stub.aci app.aci; complains "stage0: unknown flag --net"
same "pods" "$uuid" "$(ls "$data"/pods/prepare "$data"/pods/prepared "$data"/pods/run | grep -- -)"
s 0 prepare --insecure-options=image --stage1-path=stub.aci app.aci; uuid=$(cat out)
for i in 1 2 3 4; do STUB_RUN='echo ran >>ran' "$stage0" --dir="$data" run-prepared "$uuid" >/dev/null 2>race.$i & done
wait
same "runs of one pod" 1 "$(wc -l <"$data/pods/run/$uuid/ran")"
same "complaints" 3 "$(cat race.* | grep -c -e 'taken by another' -e 'is not prepared' -e 'no pod matches')"
clean
s 0 prepare --insecure-options=image --no-overlay=false --stage1-path=stub.aci app.aci; uuid=$(cat out)
STUB_RUN='echo 4 >stage1/rootfs/rkt/status/web; echo new >stage1/rootfs/opt/stage2/web/rootfs/new; exit 4' s 4 run-prepared "$uuid"
s 0 status "$uuid"; same code app-web=4 "$(tail -n 1 out)"
s 0 export "$uuid" out.aci; tar -tf out.aci | grep -q '^rootfs/new$' || fail "what the app wrote is not in $(tar -tf out.aci)"
s 0 rm "$uuid"; same "mounts below" "" "$(grep "$data" /proc/self/mountinfo)"
rm out.aci; clean
ok "prepare and run-prepared, with overlay too"

# --- export
make run ${u}1; make exited-garbage ${u}2; make prepared ${u}3; pod=$data/pods/run/${u}1
root=$pod/stage1/rootfs/opt/stage2/web/rootfs
echo changed >"$root/bin/hello"; ln "$root/bin/hello" "$root/again"; ln -s /etc/shadow "$root/link"; rm "$root/etc/mtab"
s 0 export ${u}1 out.aci; says ""; complains ""
same "mode" 644 "$(stat -c %a out.aci)"
same "first entries" "manifest rootfs/ rootfs/again" "$(tar -tf out.aci | head -n 3 | tr '\n' ' ' | sed 's/ $//')"
same "compression" 1f8b "$(od -An -tx1 -N2 out.aci | tr -d ' ')"
mkdir x; tar -xf out.aci -C x
cmp x/manifest "$pod/appsinfo/web/manifest" && diff -r --no-dereference x/rootfs "$root" || fail "the image differs"
same "a hard link" 2 "$(stat -c %h x/rootfs/again)"
s 254 export ${u}1 out.aci; complains "stage0: app 'web': out.aci exists (--overwrite replaces it)"
echo more >"$root/more"; s 0 export --overwrite --app=web ${u}1 out.aci; tar -tf out.aci | grep -q rootfs/more || fail "not overwritten"
mkfifo in; truncate -s 200M "$root/slow"; "$stage0" --dir="$data" export --overwrite ${u}1 out.aci & exporting=$!
until [ "$(find /proc/$exporting/fd -lname "$dir/*deleted*" 2>/dev/null)" ]; do sleep 0.01; done
kill -9 $exporting; wait $exporting 2>/dev/null; rm "$root/slow" in
tar -tf out.aci | grep -q rootfs/more || fail "a killed export took the old image"
same "left by a killed export" "" "$(ls | grep 'aci\.')"
s 254 export --app=two ${u}1 two.aci; complains "stage0: pod ${u}1: there is no app 'two' in the pod"
s 254 export ${u}1; complains "stage0: export takes a UUID and a file to write, and nothing else"
s 254 export ${u}1 out.tar; complains "stage0: the name of an image must end in .aci, not so 'out.tar'"
s 254 export ${u}3 no.aci; complains "stage0: pod ${u}3 is not exited, only exited pods can be exported"
s 254 export ${u}1 nodir/no.aci; complains "stage0: app 'web': create nodir/no.aci: No such file or directory"
s 0 export ${u}2 garbage.aci
mount -t tmpfs none "$root/etc"
s 254 export ${u}1 no.aci; complains "stage0: app 'web': something is still mounted at $root/etc"
umount "$root/etc"
mkdir -p "$root/$(printf 'd%.0s' $(seq 250))"; truncate -s 65G "$root/large"
s 254 export ${u}1 no.aci; complains "stage0: app 'web': rootfs/large: more than 68719476736 bytes of files"
rm "$root/large"; mv "$root" "$root.away"; ln -s /etc "$root"
s 254 export ${u}1 no.aci; complains "stage0: app 'web': open $root: Not a directory"
rm "$root"; mv "$root.away" "$root"
sed 's/"name":"web"/"name":"two"/; s/^{"acVersion":"1.30.0","acKind":"PodManifest","apps":\[\(.*\)\],"volumes".*/\1/' "$pod/pod" >two.json
sed -i "s|\],\"volumes\"|,$(cat two.json)],\"volumes\"|" "$pod/pod"
s 254 export ${u}1 no.aci; complains "stage0: pod ${u}1: there are 2 apps in the pod, choose one by --app=NAME: web two"
same "images left" "app.aci garbage.aci out.aci stub.aci" "$(echo *.aci)"
[ -z "$(ls | grep 'aci\.')" ] || fail "left half an image"
"$stage0" --dir="$data" run --insecure-options=image --stage1-path=stub.aci --uuid-file-save=uuid out.aci >out 2>err || fail "the image does not run"
same "what runs" changed "$(cat "$data/pods/run/$(cat uuid)/stage1/rootfs/opt/stage2/web/rootfs/bin/hello")"
rm -f out.aci garbage.aci; rm -rf x; clean
ok "export, and the image runs"

make run ${u}1; pod=$data/pods/run/${u}1 tree=deps-sha512-$(printf 'a%.0s' $(seq 64))
mkdir -p "$pod/overlay/$tree/upper/web/bin" "$pod/overlay/$tree/work/web" "$data/cas/tree/$tree"
mv "$pod/stage1/rootfs/opt/stage2/web/rootfs" "$data/cas/tree/$tree/"; mkdir "$pod/stage1/rootfs/opt/stage2/web/rootfs"
printf %s $tree >"$pod/appsinfo/web/treeStoreID"; printf %s $tree >"$pod/stage1TreeStoreID"; : >"$pod/overlay-prepared"
echo new >"$pod/overlay/$tree/upper/web/bin/new"; mknod "$pod/overlay/$tree/upper/web/etc" c 0 0
s 0 export ${u}1 out.aci
same "what is in it" "manifest rootfs/ rootfs/bin/ rootfs/bin/hello rootfs/bin/new" "$(tar -tf out.aci | tr '\n' ' ' | sed 's/ $//')"
same "mounts" "" "$(grep -e "$data" -e ' overlay ' /proc/self/mountinfo | grep "$dir")"
same "the work directory" "" "$(ls "$pod/overlay/$tree/work/web")"
rm "$pod/appsinfo/web/treeStoreID"
s 254 export --overwrite ${u}1 out.aci; complains "stage0: app 'web': open appsinfo/web/treeStoreID: No such file or directory"
rm out.aci; clean
ok "export of an overlay pod: both layers, and neither is touched"

# --- killed at any moment
mkdir -p app/many; for i in $(seq 200); do echo $i >app/many/$i; done
"$pack" --format=aci many.aci manifest=app.json rootfs/=app || fail "pack"; rm -r app/many
moments="0.001 0.002 0.004 0.006 0.008 0.01 0.012 0.015 0.02 0.03"
for t in $moments; do
	for overlay in true false; do
		timeout -s KILL $t "$stage0" --dir="$data" prepare --insecure-options=image --no-overlay=$overlay --stage1-path=stub.aci many.aci >/dev/null 2>&1
	done
done
for t in $moments $moments $moments; do
	make run "$(cat /proc/sys/kernel/random/uuid)"
	timeout -s KILL $t "$stage0" --dir="$data" gc --grace-period=0s --expire-prepared=0s >/dev/null 2>&1
done
s 0 gc --grace-period=0s --expire-prepared=0s
s 0 gc --grace-period=0s --expire-prepared=0s; says ""
same "what is left" "" "$(cd "$data/pods" && find . -mindepth 2)"
same "mounts below" "" "$(grep "$data" /proc/self/mountinfo)"
rm many.aci; clean
ok "prepare and gc, killed at any moment, leave what the next gc removes"

# --- not root
make run ${u}1
nobody() { want=$1; shift; setpriv --reuid=65534 --regid=65534 --clear-groups "$stage0" --dir="$data" "$@" >out 2>err; same "exit status of $*" "$want" $?; }
chmod 755 "$dir"; cp "$stage0" "$dir/stage0" && chmod 755 "$dir/stage0"; stage0=$dir/stage0
for verb in "gc" "rm ${u}1"; do nobody 254 $verb; complains "stage0: remove pods: only root can"; done
nobody 254 enter ${u}1; complains "stage0: enter pods: only root can"
chmod 700 "$data"
nobody 254 list; complains "stage0: open $data/pods: Permission denied"
chmod -R a+rX "$data"
nobody 0 list; nobody 0 status ${u}1; nobody 0 cat-manifest ${u}1
clean
ok "not root"
echo "1..$n"
