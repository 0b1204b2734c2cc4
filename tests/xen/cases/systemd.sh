# Pods as units of a real systemd, which is PID 1 of namespaces of its own in dom0, and their lines in its journal.

UNITS=/run/units # the only ones there are

# It believes only processes of its own namespace.
systemctl() {
	pid1=$(cat /proc/$unshare/task/$unshare/children)
	nsenter --target ${pid1% } --pid --mount --cgroup -- systemctl "$@"
}

# boot_systemd: from here on systemctl and journalctl work
boot_systemd() {
	rm -rf $UNITS && mkdir -p $UNITS /run/log/journal
	for unit in boot sysinit basic shutdown network-online multi-user; do
		printf '[Unit]\nDefaultDependencies=no\n' >$UNITS/$unit.target
	done
	cp /lib/systemd/system/systemd-journald.service /lib/systemd/system/systemd-journald.socket $UNITS
	sed -i '/^\(Sockets\|Requires\|After\)=/s/systemd-journald-[a-z]*.socket//g' $UNITS/systemd-journald.service
	printf '[Unit]\nDefaultDependencies=no\nWants=systemd-journald.service\nAfter=systemd-journald.service\n' >$UNITS/boot.target
	dpkg-deb --fsys-tarfile /job/stage1-xen_*.deb | tar -xO ./lib/systemd/system/stage1-xen@.service |
		sed "s,/usr/bin/stage0,/job/stage0," >"$UNITS/stage1-xen@.service"
	[ -s /etc/machine-id ] || tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
	mkdir -p /sys/fs/cgroup/booted /etc/stage1-xen
	sh -c 'echo $$ >/sys/fs/cgroup/booted/cgroup.procs
		exec env -i container=rig PATH="$PATH" SYSTEMD_UNIT_PATH='$UNITS' unshare --cgroup --pid --mount --fork --kill-child \
			--mount-proc sh -c "umount /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup &&
				exec /lib/systemd/systemd --system --unit=boot.target --log-target=null"' >$OUT/systemd 2>&1 &
	unshare=$!
	wait_for "systemd" systemctl is-active boot.target || { cat $OUT/systemd; return 1; }
}
halt_systemd() {
	kill -KILL $unshare # and with it all that it started
	wait $unshare 2>/dev/null
	wait_for "its cgroups to be empty" sh -c 'grep -q "^populated 0" /sys/fs/cgroup/booted/cgroup.events'
	find /sys/fs/cgroup/booted -depth -type d -exec rmdir {} +
	rm -rf $UNITS /etc/stage1-xen /run/systemd /run/log/journal /run/stage1-xen
}

# pod_unit NAME SCRIPT: what the administrator of the unit stage1-xen@NAME writes
pod_unit() {
	printf '%s\n' "$2" >"$OUT/$1.sh"
	cat >/etc/stage1-xen/"$1".conf <<-END
		FLAGS=--dir=$DATA
		ARGS=--insecure-options=image --net=none --stage1-path=$STAGE1 --volume=s,kind=host,source=$OUT,readOnly=true \
			--mount=volume=s,target=/s $IMAGE -- /s/$1.sh
	END
}
show() { systemctl show --value -p "$2" "stage1-xen@$1"; }
in_journal() { journalctl -D /run/log/journal --no-pager -o cat "$@"; }

systemd_cases() {
	pod_unit web 'trap "echo bye; exit 3" TERM; echo up; echo oops >&2; while :; do sleep 0.1; done'
	systemctl start stage1-xen@web || { systemctl status stage1-xen@web; in_journal | tail -n 20; return 1; }
	expect "state" active "$(show web ActiveState)" || return 1 # and it was waited for: READY=1 of the pod
	uuid=$(cat /run/stage1-xen/web/uuid)
	expect "main process" "$(show web MainPID)" "$(cut -d ' ' -f 1 "$DATA/pods/run/$uuid/pid")" &&
		expect "ready" "ready" "$(readlink "$DATA/pods/run/$uuid/stage1/rootfs/rkt/supervisor-status")" || return 1
	wait_for "the line" sh -c "journalctl -D /run/log/journal -o cat RKT_POD=$uuid RKT_APP=app | grep -qx oops" ||
		{ in_journal; return 1; }
	expect "lines by pod and app" "oops
up" "$(in_journal "RKT_POD=$uuid" RKT_APP=app | sort)" &&
		expect "lines of another app" "" "$(in_journal "RKT_POD=$uuid" RKT_APP=other | grep -v '^-- No entries')" &&
		expect "of the unit" 2 "$(in_journal "RKT_POD=$uuid" _SYSTEMD_UNIT=stage1-xen@web.service | wc -l)" || return 1
	systemctl stop stage1-xen@web
	expect "after stop" "inactive success 0" "$(echo $(show web ActiveState) $(show web Result) $(show web ExecMainStatus))" &&
		expect "the pod" "" "$(ls "$DATA/pods/run" "$DATA/pods/exited-garbage" 2>/dev/null | grep "$uuid")" || return 1
	wait_for "the last word" sh -c "journalctl -D /run/log/journal -o cat RKT_POD=$uuid | grep -qx bye" || return 1
	# every process of the unit gets TERM
	sed -i 's/^KillMode=.*/KillMode=control-group/' "$UNITS/stage1-xen@.service"
	systemctl daemon-reload && systemctl start stage1-xen@web && systemctl stop stage1-xen@web
	expect "after stop of all processes" "inactive success 0" "$(echo $(show web ActiveState) $(show web Result) $(show web ExecMainStatus))" || return 1
	pod_unit bad 'exit 7'
	systemctl start stage1-xen@bad 2>/dev/null
	wait_for "its failure" systemctl is-failed stage1-xen@bad
	expect "after a failure" "failed exit-code 7" "$(echo $(show bad ActiveState) $(show bad Result) $(show bad ExecMainStatus))"
}

t_systemd_runs_pods_as_units() {
	boot_systemd || { halt_systemd; return 1; }
	systemd_cases
	ret=$?
	[ $ret -eq 0 ] || { systemctl --no-pager status 'stage1-xen@*'; in_journal | tail -n 30; } 2>&1 | sed 's/^/#   /'
	halt_systemd
	return $ret
}
