# How a pod ends: exit status of run, status files, and what the user is told.

app_status() { cat "$(poddir)/stage1/rootfs/rkt/status/app"; }

t_exit_zero() {
	sh_pod 'exit 0'
	expect status 0 "$(status)" && expect file 0 "$(app_status)" &&
		expect pid "$(wc -l <"$(poddir)/pid")" 1
}

t_exit_seven() {
	sh_pod 'exit 7'
	expect status 7 "$(status)" && expect file 7 "$(app_status)"
}

t_killed_by_a_signal() {
	sh_pod 'kill -9 $$'
	expect status 137 "$(status)" && expect file 9 "$(app_status)"
}

t_program_not_on_the_path() {
	sh_pod '' --exec=nope
	expect status 254 "$(status)" &&
		expect stderr "stage1 run: app 'app': exec 'nope': not found in /:/bin:/usr/bin" "$(cat $OUT/stderr)"
}

t_program_missing() {
	sh_pod '' --exec=/nope
	expect status 203 "$(status)" &&
		expect stderr "stage1 run: app 'app': Error: Unable to open \"/nope\": No such file or directory" "$(cat $OUT/stderr)"
}

t_user_unknown() {
	sh_pod 'id' --user=nobody2
	expect status 254 "$(status)" &&
		expect stderr "stage1 run: app 'app': \"nobody2\" user not found" "$(cat $OUT/stderr)"
}

t_user_and_group_of_the_image() {
	sh_pod 'id -u; id -g; id -G' --user=web --group=www --supplementary-gids=400,1200
	expect stdout "1000
33
33 400 1200" "$(cat $OUT/stdout)"
}

t_environment_and_directory() {
	sh_pod 'pwd; env | sort' --working-dir=/tmp --environment=COLOR=red
	expect stdout "/tmp
AC_APP_NAME=app
COLOR=red
HOME=/root
LOGNAME=root
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
PWD=/tmp
SHELL=/bin/sh
USER=root" "$(grep -v -e ^SHLVL= -e ^OLDPWD= $OUT/stdout)"
}

t_arguments_are_bytes() {
	arg=$(printf 'a "b" %%s $HOME \\ \n\001\377 end')
	pod --interactive $IMAGE -- -c 'printf %s "$1"' sh "$arg" >$OUT/stdout 2>$OUT/stderr
	expect bytes "$(printf %s "$arg" | sha256sum)" "$(sha256sum <$OUT/stdout)"
}

t_what_an_app_wrote_is_in_dom0_afterwards() {
	sh_pod 'echo kept >/etc/kept; dd if=/dev/zero of=/big bs=64k count=64 2>/dev/null'
	root=$(poddir)/stage1/rootfs/opt/stage2/app/rootfs
	expect small kept "$(cat $root/etc/kept)" && expect big 4194304 "$(stat -c %s $root/big)"
}

t_the_guest_is_xen_pv_and_the_app_sees_no_device_of_it() {
	sh_pod 'cat /sys/hypervisor/guest_type; ls -d /dev/xen 2>&1; uname -n; ls /sys/class/net' --insecure-options=paths
	expect stdout "PV
ls: /dev/xen: No such file or directory
rkt-$(uuid)
lo" "$(cat $OUT/stdout)"
}

# What rkt's api-service and list read: the files of the pod's directory, in the order they must appear in.
t_what_rkt_reads_of_a_pod() {
	mkdir -p /sys/fs/cgroup/unit.slice/web.service
	( echo 0 >/sys/fs/cgroup/unit.slice/web.service/cgroup.procs
		pod --net=default $IMAGE -- -c 'echo up; exec sleep 1000' >$OUT/stdout 2>$OUT/stderr ) &
	started=$!
	wait_for "the app to start" grep -q ': up$' $OUT/stdout || return 1
	cgroup=$(cat "$(poddir)/subcgroup")
	pid=$(supervisor)
	newer=$(find "$(poddir)" -maxdepth 1 -name subcgroup -newer "$(poddir)/pid")
	net=$(grep -o '"ifName":"[a-z0-9]*"' "$(poddir)/net-info.json")
	stage0 stop --dir=$DATA "$(uuid)" >/dev/null
	finish
	rmdir /sys/fs/cgroup/unit.slice/web.service /sys/fs/cgroup/unit.slice
	expect status 0 "$(status)" && expect cgroup unit.slice/web.service "$cgroup" && expect "a late subcgroup" "" "$newer" &&
		expect "the interface" '"ifName":"eth0"' "$net" && expect "exit code" 0 "$(cat "$(poddir)/stage1/rootfs/rkt/status/app")" &&
		[ "$pid" -gt 1 ]
}

# What its GetLogs reads: files of journald in a directory of the pod (rkt rkt/api_service_sdjournal.go).
t_the_pods_own_journal() {
	chmod a+x $JOURNAL_WRITER
	[ -s /etc/machine-id ] || tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id # or it would not open its file again
	start 'mkfifo /go; echo up; echo oops >&2; printf "tab\\tand \\001\\n"; read x </go; echo late; exit 5' || return 1
	journal=$(poddir)/stage1/rootfs/var/log/journal
	wait_for "the lines" sh -c "journalctl -D $journal -o cat SYSLOG_IDENTIFIER=app | grep -qx oops" &&
		wait_for "the writer to end" sh -c '! pgrep -f ^/lib/systemd/systemd-journal-remote' && # its pod says nothing
		{ stage0 enter --dir=$DATA "$(uuid)" /bin/sh -c 'echo >/go' || true; } || return 1 # the pod's end may be its own
	finish
	chmod a-x $JOURNAL_WRITER
	expect status 5 "$(status)" && expect lines "late
oops
tab	and $(printf '\001')
up" "$(journalctl -D $journal -o cat --all | sort)" &&
		expect "of whom" "rkt-$(uuid) $(uuid)" "$(journalctl -D $journal -o json -n 1 |
			sed 's/.*"_HOSTNAME":"\([^"]*\)".*/\1/') $(journalctl -D $journal -F RKT_POD)" &&
		expect "those of the app's stderr" oops "$(journalctl -D $journal -o cat RKT_APP=app RKT_STREAM=stderr)" &&
		expect "of another app" "" "$(journalctl -D $journal -o cat -q RKT_APP=other)" &&
		journalctl -D $journal --verify 2>&1 | grep -q '^PASS' && expect stderr oops "$(cat $OUT/stderr)"
}
