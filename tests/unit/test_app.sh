#!/bin/sh
# stage0's commands for apps of mutable pods, with a stage1 of shell scripts that write down how they were
# called. Writes TAP. usage: test_app.sh [BUILD]
. "${0%/*}/pods_lib.sh"
data=$dir/data
TZ=UTC RKT_EXPERIMENT_APP=true; export TZ data RKT_EXPERIMENT_APP
unset RKT_LOCK_FD

# --- a stage1 whose entrypoints write down how they are called
mkdir -p stub/rkt/status stub/opt/stage2
cat >stub/run <<'END'
#!/bin/sh
{ for a; do echo "arg $a"; done; } >note.run
ln -s ready stage1/rootfs/rkt/supervisor-status
echo $$ >pid.new && mv pid.new pid
read x <"$data/../gate"
rm stage1/rootfs/rkt/supervisor-status
END
for entry in add start stop rm; do
	cat >stub/app_$entry <<'END'
#!/bin/sh
name=${0##*/}
{ for a; do echo "arg $a"; done; echo "cwd $(pwd -P)"; env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= | sort; readlink /proc/$$/fd/0; } >note.$name
echo "first words"
[ ! -e "$(dirname "$0")/refuse.$name" ] || { echo "stage1 app: not today" >&2; exit 254; }
for a; do case $a in --app=*) app=${a#--app=} ;; esac; done
[ $name != app_start ] || flock -n pod.lck true || echo locked >>note.$name
[ $name != app_stop ] || echo 15 >"stage1/rootfs/rkt/status/$app"
END
done
printf '#!/bin/sh\n' >stub/enter
chmod +x stub/*
cat >stub.json <<'END'
{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/stub","annotations":[
{"name":"coreos.com/rkt/stage1/run","value":"/run"},{"name":"coreos.com/rkt/stage1/enter","value":"/enter"},
{"name":"coreos.com/rkt/stage1/app/add","value":"/app_add"},{"name":"coreos.com/rkt/stage1/app/start","value":"/app_start"},
{"name":"coreos.com/rkt/stage1/app/stop","value":"/app_stop"},{"name":"coreos.com/rkt/stage1/app/rm","value":"/app_rm"},
{"name":"coreos.com/rkt/stage1/interface-version","value":"6"}]}
END
"$pack" --format=aci stub.aci manifest=stub.json rootfs/=stub rootfs/rkt/status/ || fail "pack the stub"
sed 's|stage1/app/|stage1/other/|g' stub.json >plain.json
"$pack" --format=aci plain.aci manifest=plain.json rootfs/=stub rootfs/rkt/status/ || fail "pack one that cannot"
mkdir -p app/bin app/etc && echo hello >app/bin/hello
cat >app.json <<'END'
{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/web","labels":[{"name":"os","value":"linux"},
{"name":"arch","value":"amd64"}],"app":{"exec":["/bin/hello","old"],"user":"0","group":"0"}}
END
"$pack" --format=aci app.aci manifest=app.json rootfs/=app || fail "pack the app"

# sandbox [FLAGS...]: a pod in the background that is ready
sandbox() {
	rm -f gate uuid; mkfifo gate
	"$stage0" app --insecure-options=image --dir="$data" sandbox --stage1-path=stub.aci --uuid-file-save=uuid --net=none "$@" \
		>run.out 2>run.err </dev/null &
	held=$!
	until [ -s uuid ] && [ -s "$data/pods/run/$(cat uuid)/pid" ]; do
		kill -0 $held 2>/dev/null || { cp run.err err; fail "the sandbox has ended"; }
		sleep 0.01
	done
	uuid=$(cat uuid) pod=$data/pods/run/$uuid root=$data/pods/run/$uuid/stage1/rootfs
}
release() { echo >gate; wait "$held"; }
stamp() { sed -E "s/=[0-9]{4}-[^=]*\$/=TIME/"; }

RKT_EXPERIMENT_APP=false "$stage0" app list x >out 2>err
same "without the experiment" 254 $?
complains "stage0: app is an experiment of rkt's: it needs RKT_EXPERIMENT_APP=true in the environment"
s 254 app nope; complains "stage0: unknown command 'app nope': see stage0 app"
s 1 app --insecure-options=image sandbox --stage1-path=plain.aci
complains "stage0: image plain.aci: no annotation 'coreos.com/rkt/stage1/app/rm': this stage1 cannot run mutable pods"
s 1 app --insecure-options=image sandbox --stage1-path=stub.aci app.aci; complains "stage0: 'app.aci': a sandbox begins without apps"
s 1 app --insecure-options=image sandbox --stage1-path=stub.aci --port=http:80:80; complains "stage0: --port 'http:80:80': not NAME:PROTOCOL:PODPORT:IP:PORT"
s 1 app sandbox --interactive
ok "what is not for a sandbox is refused"

sandbox --hostname=h --annotation=a/b=c --user-label=x=y
same "stage1's arguments" "arg --net=none
arg --local-config=/etc/rkt
arg --hostname=h
arg --mutable
arg $uuid" "$(cat "$pod/note.run")"
same "the manifest" '{"acVersion":"1.30.0","acKind":"PodManifest","apps":[],"volumes":null,"isolators":null,"annotations":[{"name":"coreos.com/rkt/stage1/mutable","value":"true"},{"name":"a/b","value":"c"}],"ports":[],"userLabels":{"x":"y"}}' \
	"$(cat "$pod/pod")"
s 0 app list --no-legend $uuid; says ""
s 0 app list $uuid; says "NAME	STATE"
ok "a sandbox: arguments, manifest, and no apps"

s 254 app add $uuid; complains "stage0: must provide the pod UUID and an image"
s 254 app add $uuid --name=x app.aci; complains "stage0: image $uuid: an app's flags follow its image, not the pod's UUID"
s 254 app add $uuid app.aci app.aci; complains "stage0: must give only one app: 'app.aci' is too much"
s 0 app --insecure-options=image add $uuid app.aci --name=one --mnt-volume=name=v,target=/mnt,kind=host,source=/srv,readOnly=true -- new words
same "app/add is called" "arg --debug=false
arg --uuid=$uuid
arg --app=one
cwd $pod
PATH=$PATH
RKT_STAGE1_ENTERCMD=$root/enter
RKT_STAGE1_ENTERPID=$(cat "$pod/pid")
/dev/null" "$(cat "$pod/note.app_add")"
complains ""
same "its words" '"exec":["/bin/hello","new","words"]' "$(grep -o '"exec":[^]]*\]' "$pod/pod")"
same "its volume" '"mounts":[{"volume":"v","path":"/mnt","appVolume":{"name":"v","kind":"host","source":"/srv","readOnly":true}}]' \
	"$(grep -o '"mounts":[^]]*\]' "$pod/pod")"
same "its root" hello "$(cat "$root/opt/stage2/one/rootfs/bin/hello")"
s 0 app list --no-legend $uuid; says "one	created"
s 254 app --insecure-options=image add $uuid app.aci --name=one
complains "stage0: error adding app to pod: the pod has an app 'one' already: use --name=NAME"
s 0 app --insecure-options=image add $uuid app.aci
s 0 app list $uuid; says "NAME	STATE
one	created
web	created"
ok "app add: entrypoint, manifest, root, marks"

# again APP: adds it when one that was killed before the manifest's turn has been at it
again() {
	cp "$pod/pod" before
	s 0 app --insecure-options=image add $uuid app.aci --name=$1
	cp before "$pod/pod"
	echo old >"$root/opt/stage2/$1/rootfs/old"
	s 0 app --insecure-options=image add $uuid app.aci --name=$1
	[ ! -e "$root/opt/stage2/$1/rootfs/old" ] && [ -e "$root/opt/stage2/$1/rootfs/bin/hello" ] || fail "what was left is in it"
}
again again
s 0 app rm $uuid --app=again
ok "app add after one that was killed"

touch "$root/refuse.app_add"
s 254 app --insecure-options=image add $uuid app.aci --name=bad
complains "stage0: error adding app to pod: stage1 app: not today"
[ ! -e "$root/opt/stage2/bad" ] && [ ! -e "$pod/appsinfo/bad" ] && [ ! -e "$root/rkt/status/bad-created" ] || fail "something of it is left"
s 254 app --debug --insecure-options=image add $uuid app.aci --name=bad
complains "first words
stage1 app: not today
stage0: error adding app to pod: stage1 app: not today"
s 0 app list --no-legend $uuid; says "one	created
web	created"
rm "$root/refuse.app_add"
ok "an app that stage1 will not have leaves nothing"

s 254 app start $uuid; complains "stage0: must provide the app: --app=NAME"
s 254 app start $uuid --app=nope; complains "stage0: error starting app: there is no app 'nope' in the pod"
s 0 app start $uuid --app=one; same "app/start is called" "arg --debug=false
arg --app=one" "$(grep ^arg "$pod/note.app_start")"
grep -q ^locked "$pod/note.app_start" && fail "the lock is held while it starts"
s 0 app list --no-legend $uuid; says "one	running
web	created"
s 0 app stop $uuid --app=one
s 0 app list --no-legend $uuid; says "one	exited
web	created"
s 0 app status $uuid --app=one; same "status" "name=one
state=exited
image_id=sha512
created_at=TIME
started_at=TIME
finished_at=TIME
exit_code=15
mounts=/srv:/mnt:(read_only:true)" "$(sed 's/^image_id=sha512-.*/image_id=sha512/' out | stamp)"
s 0 app status $uuid --app=web --format=json
same "as JSON" '{"name":"web","state":"created","created_at":N,"image_id":"sha512"}' "$(sed -E 's/at":[0-9]+/at":N/; s/sha512-[0-9a-f]+/sha512/' out)"
s 1 app status $uuid --app=nope; complains "stage0: error getting app status: there is no app 'nope' in the pod"
s 0 app start $uuid --app=one; [ ! -e "$root/rkt/status/one" ] || fail "its old end is remembered"
ok "app start, stop, list and status"

s 0 app rm $uuid --app=one; same "app/rm is called" "arg --debug=false
arg --app=one" "$(grep ^arg "$pod/note.app_rm")"
same "after app/stop" "--app=one" "$(sed -n 's/^arg \(--app\)/\1/p' "$pod/note.app_stop")"
[ ! -e "$root/opt/stage2/one" ] && [ ! -e "$pod/appsinfo/one" ] && [ -z "$(ls "$root/rkt/status" | grep ^one)" ] || fail "something of it is left"
s 0 app list --no-legend $uuid; says "web	created"
s 0 app --insecure-options=image add $uuid app.aci --name=one
s 0 app list --no-legend $uuid; says "web	created
one	created"
# a start while another command has the lock, and takes the app away
exec 7<"$pod/pod.lck"; flock 7
"$stage0" app start --dir="$data" $uuid --app=one >out 2>err 7<&- & starting=$!
until [ "$(cut -d ' ' -f 1 /proc/$starting/syscall)" = 73 ]; do # flock
	[ -e /proc/$starting/exe ] || fail "start did not wait for the lock"
	sleep 0.01
done
sed -i 's/"name":"one"/"name":"two"/' "$pod/pod"
exec 7<&-; wait $starting; same "status of the start" 254 $?
complains "stage0: error starting app: there is no app 'one' in the pod"
[ ! -e "$root/rkt/status/one-started" ] || fail "it is marked"
sed -i 's/"name":"two"/"name":"one"/' "$pod/pod"
: >"$root/rkt/status/new-started"; echo 3 >"$root/rkt/status/new" # an older start may have left them
s 0 app --insecure-options=image add $uuid app.aci --name=new
s 0 app list --no-legend $uuid; says "web	created
one	created
new	created"
s 0 app rm $uuid --app=new
ok "an app that is removed while it is to start leaves no mark"
release
s 254 app start $uuid --app=web; complains "stage0: pod \"$uuid\" isn't currently running"
s 0 app stop $uuid --app=web; complains "stage0: pod \"$uuid\" is already stopped"
s 0 app list --no-legend $uuid; says "web	exited
one	exited"
s 0 app rm $uuid --app=web # nobody is asked
s 0 app list --no-legend $uuid; says "one	exited"
ok "app rm, and what can be done when the pod has ended"

sandbox --no-overlay=false
s 0 app --insecure-options=image add $uuid app.aci --name=a; s 0 app --insecure-options=image add $uuid app.aci --name=b
echo a >"$root/opt/stage2/a/rootfs/own"; echo b >"$root/opt/stage2/b/rootfs/own"
s 0 app list --no-legend $uuid; says "a	created
b	created"
again again
s 0 app rm $uuid --app=again
exec 8<"$root/opt/stage2/a/rootfs/own"
s 254 app rm $uuid --app=a; grep -q 'error removing app: unmount .*a/rootfs: Device or resource busy' err || fail "busy"
exec 8<&-
s 0 app rm $uuid --app=a
same "the other's layer" b "$(cat "$root/opt/stage2/b/rootfs/own")"
grep -q stage2/a/ /proc/self/mounts && fail "it is mounted still"
[ -z "$(find "$pod/overlay" -path '*/a/own')" ] || fail "its layer is there still"
s 0 app list --no-legend $uuid; says "b	created"
release
ok "with overlays each app has a layer, which goes with it and with no other"
echo "1..$n"
