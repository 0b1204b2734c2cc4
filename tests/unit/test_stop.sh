#!/bin/sh
# The stop entrypoint and a pod that is just starting: it holds its lock, and has written no pid. TAP.
B=${BUILD:-build}
stop=$PWD/$B/stage1/stop
uuid=6733c0b5-5f2c-4a4b-8a4c-2f3f4b1f9c01
pod=$(mktemp -d) || exit 1
trap 'rm -rf "$pod"' EXIT
cd "$pod" || exit 1
n=0 bad=0

# ok NAME STATUS: of the command before, and what it says must be empty
ok() {
	n=$((n + 1))
	if [ "$2" = 0 ] && [ ! -s said ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		echo "# status $2, '$(cat said)'"
		bad=1
	fi
}

# pod_that HOW: a process that has the lock, writes `pid` when there is `go`, and ends when it is asked to
pod_that() {
	rm -f pid go asked locked
	timeout 20 flock -F . sh -c "trap 'echo PWR >asked; exit 0' PWR; : >locked; until [ -e go ]; do sleep 0.05; done; $1
		until [ -e asked ]; do sleep 0.05; done" &
	life=$!
	until [ -e locked ]; do sleep 0.05; done
}

pod_that 'echo $$ >pid.new; mv pid.new pid'
"$stop" $uuid 2>said &
stopping=$!
(sleep 0.5; kill -0 $stopping 2>/dev/null && : >waits; : >go)
wait $stopping
status=$?
wait $life 2>/dev/null
[ -e waits ] || echo "it did not wait" >said
[ "$(cat asked)" = PWR ] || echo "the pod was not asked: $(cat asked)" >>said
ok "it is asked when it can be" $status

pod_that 'echo $$ >pid.new; mv pid.new pid; : >ready'
"$stop" --force $uuid 2>said &
stopping=$!
: >go
wait $life 2>/dev/null
status=$?
wait $stopping
: >said # what it says next is of a host without Xen
[ $status -eq 137 ] || echo "the pod ended with $status" >said
ok "it is killed when it can be" 0

echo "1..$n"
exit $bad
