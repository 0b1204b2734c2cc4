# What apps see as their file systems: volumes, /etc, /dev, the protected paths; and what dom0 keeps.

# mount_pod MOUNTS VOLUMES [MORE]: the ended pod's directory with another manifest. Its program is the
# script on stdin. MOUNTS and VOLUMES are items of JSON lists, MORE members of the app's section, each
# behind a comma.
mount_pod() {
	ended_pod
	root=$(poddir)/stage1/rootfs/opt/stage2/app/rootfs
	cat >$root/script
	cat >"$(poddir)/pod" <<-END
		{ "acVersion": "1.30.0", "acKind": "PodManifest", "apps": [ { "name": "app",
		  "image": { "name": "example.org/app", "id": "sha512-00" },
		  "app": { "exec": ["/bin/sh", "/script"], "user": "0", "group": "0"$3 },
		  "mounts": [ $1 ]$4 } ], "volumes": [ $2 ] }
	END
}

# mounts_of VOLUME=PATH...: items for mount_pod
mounts_of() {
	for m in "$@"; do
		printf '%s{"volume": "%s", "path": "%s"}' "$comma" "${m%%=*}" "${m#*=}"
		comma=,
	done
	comma=
}

t_mounts_host_volumes() {
	v=$OUT/v
	mkdir -p $v/rw $v/ro/inner $v/ro/closed $v/flat/inner
	echo here >$v/rw/file && echo fixed >$v/ro/file && echo one >$v/single
	chmod 0 $v/ro/closed && echo secret >$v/ro/closed/file
	ln -s /etc/passwd $v/rw/link && cp mapper $v/rw/mapper
	mount -t tmpfs inner $v/ro/inner && mkdir -m 0 $v/ro/inner/zero && echo deep >$v/ro/inner/zero/file
	mkdir $v/ro/twin && mount -t tmpfs inner $v/ro/twin && mkdir $v/ro/twin/zero && echo >$v/ro/twin/zero/file
	mount -t tmpfs inner $v/flat/inner && echo hidden >$v/flat/inner/file
	mkfifo $v/fifo
	mount_pod "$(mounts_of rw=/rw ro=/ro flat=/flat single=/etc/single socket=/socket fifo=/fifo null=/n/null)" \
		"{\"name\":\"rw\",\"kind\":\"host\",\"source\":\"$v/rw\"},
		{\"name\":\"ro\",\"kind\":\"host\",\"source\":\"$v/ro\",\"readOnly\":true},
		{\"name\":\"flat\",\"kind\":\"host\",\"source\":\"$v/flat\",\"recursive\":false,\"readOnly\":true},
		{\"name\":\"single\",\"kind\":\"host\",\"source\":\"$v/single\"},
		{\"name\":\"fifo\",\"kind\":\"host\",\"source\":\"$v/fifo\"},
		{\"name\":\"socket\",\"kind\":\"host\",\"source\":\"/run/xenstored/socket\"},
		{\"name\":\"null\",\"kind\":\"host\",\"source\":\"/dev/null\"}" <<-'END'
		cat /rw/file /ro/file /etc/single /ro/closed/file /ro/inner/zero/file
		busybox readlink /rw/link
		echo up
		until [ -e /rw/go ]; do sleep 0.1; done
		cat /rw/go
		for f in /ro/new /ro/inner/new /flat/new; do (echo x >$f) 2>&1 | sed 's/.*: //'; done
		busybox rm /ro/file 2>&1 | sed 's/.*: //'
		ls /flat/inner | wc -l
		echo two >>/etc/single
		mkdir -p /rw/made && echo guest >/rw/made/file && busybox chown 5:6 /rw/made/file
		stat -c '%F %t:%T' /n/null; echo gone >/n/null
		stat -c '%F' /fifo /socket
		/rw/mapper /rw/map
		[ $(stat -c %i /ro/inner/zero/file) = $(stat -c %i /ro/twin/zero/file) ] || echo two files
	END
	again &
	wait_for "the app to start" grep -q ': up$' $OUT/stdout
	# The host's own mounts are free while the pod runs, and what it does in the volume is seen.
	umount $v/flat/inner || fail "the host cannot unmount below a volume" || return 1
	busybox mv $v/rw/file $v/rw/moved && echo now >$v/rw/.go && mv $v/rw/.go $v/rw/go
	wait $!
	umount $v/ro/twin && umount $v/ro/inner || fail "the volume's submount is still busy" || return 1
	expect status 0 "$(status)" && expect stdout "here
fixed
one
secret
deep
/etc/passwd
up
now
Read-only file system
Read-only file system
Read-only file system
Read-only file system
0
character special file 1:3
fifo
socket
by the map
two files" "$(cat $OUT/stdout)" && expect single "one two" "$(echo $(cat $v/single))" &&
		expect made "5:6 guest" "$(stat -c %u:%g $v/rw/made/file) $(cat $v/rw/made/file)" &&
		expect ro "fixed" "$(cat $v/ro/file)" &&
		expect map "by the map" "$(dd if=$v/rw/map bs=1 skip=4090 count=10 2>/dev/null)"
}

# Dom0 enforces what is read-only: a guest kernel that mounts the export as it likes cannot write.
t_mounts_read_only_in_dom0() {
	v=$OUT/v
	mkdir -p $v/inner && echo fixed >$v/file && chmod 644 $v/file
	mount -t tmpfs inner $v/inner
	mount_pod "$(mounts_of ro=/ro)" "{\"name\":\"ro\",\"kind\":\"host\",\"source\":\"$v\",\"readOnly\":true}" </dev/null
	cp hostile-trespass "$(poddir)/stage1/rootfs/boot/initramfs"
	again
	umount $v/inner
	ro='Read-only file system'
	expect said "create: $ro
overwrite: $ro
truncate: $ro
chmod: $ro
unlink: $ro
rename: $ro
mkdir: $ro
submount: $ro
root: $ro" "$(sed -n 's/^stage1 run: guest: //p' $OUT/stderr)" &&
		expect file "644 fixed" "$(stat -c %a $v/file) $(cat $v/file)"
}

t_mounts_empty_volumes_and_targets() {
	v=$OUT/v
	mkdir -p $v/first $v/second/sub && echo first >$v/first/file && echo second >$v/second/file
	mount_pod "$(mounts_of e=/e e=/var/same first=/over/sub second=/over first=/over/sub \
		first=/link/x first=/up first=/abs first=../../../clamped first='/new\nline' first=/dev/vol)" \
		"{\"name\":\"e\",\"kind\":\"empty\",\"mode\":\"2750\",\"uid\":7,\"gid\":8},
		{\"name\":\"first\",\"kind\":\"host\",\"source\":\"$v/first\"},
		{\"name\":\"second\",\"kind\":\"host\",\"source\":\"$v/second\"}" \
		', "mountPoints": [ {"name": "data", "path": "/data"}, {"name": "own", "path": "/own", "readOnly": true} ]' \
		', "annotations": [ {"name": "appc.io/docker/repository", "value": "x"} ]' <<-'END'
		stat -c '%a %u:%g' /e
		echo shared >/e/file && cat /var/same/file
		cat /over/file /over/sub/file
		cat /link/x/file /up/file /abs/file /clamped/file "/new
		line/file" /dev/vol/file
		stat -c '%a %u:%g' /data /data/sub /data/sub/file && cat /data/sub/file && busybox readlink /data/out
		echo more >/data/more; (echo x >/own/x) 2>&1 | sed 's/.*: //'
	END
	ln -s there $root/link && ln -s ../../../../../../made $root/up && ln -s /tmp/deep/er $root/abs
	mkdir -m 1770 $root/data && mkdir -m 700 $root/data/sub && echo image >$root/data/sub/file
	chown 9:9 $root/data/sub/file && chmod 4711 $root/data/sub/file && chown 3:4 $root/data && ln -s /etc/shadow $root/data/out
	again
	shared=$(poddir)/sharedVolumes
	expect status 0 "$(status)" && expect stdout "2750 7:8
shared
second
first
first
first
first
first
first
first
1770 3:4
700 0:0
4711 9:9
image
/etc/shadow
Read-only file system" "$(cat $OUT/stdout)" &&
		expect shared "$(printf 'app-data\napp-own\ne')" "$(ls $shared)" && expect e shared "$(cat $shared/e/file)" &&
		expect copied "more image" "$(cat $shared/app-data/more) $(cat $shared/app-data/sub/file)" &&
		expect "the image's" "sub out" "$(echo $(cd $root/data && ls -d sub out more 2>/dev/null | sort -r))" &&
		expect warnings 2 "$(grep -c '^stage1 run: warning: app .app.: no volume specified for mount point' $OUT/stderr)" &&
		for d in made tmp/deep/er there/x clamped; do [ -d $root/$d ] || fail "no $d in the root" || return 1; done
}

t_mounts_etc_dev_and_protected_paths() {
	mount_pod "" "" "" ', "readOnlyRootFS": true' <<-'END'
		echo "$(cat /etc/hosts) / $(cat /etc/hostname) / $(cat /etc/resolv.conf)"
		(echo x >/x) 2>&1 | sed 's/.*: //'; (echo x >/tmp/x) 2>&1 | sed 's/.*: //'
		echo x >/dev/shm/x && cat /dev/shm/x
		stat -c '%n %F %a %t:%T' /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /dev/net/tun \
			/dev/console /dev/ptmx
		ls /dev | sort | awk '{ printf "%s ", $1 }'; echo
		for f in /proc/sysrq-trigger /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/vm/panic_on_oom; do
			[ ! -e $f ] || (echo x >$f) 2>&1 | sed 's/.*: //'
		done | sort -u
		stat -c '%a %F' /sys/hypervisor /sys/fs /sys/module /sys/firmware /proc/kallsyms /proc/config.gz
		ls /sys/hypervisor /sys/fs /sys/module | grep -v : | grep .
		(echo x >/sys/kernel/x) 2>&1 | sed 's/.*: //'; ls -d /sys/class/net
		awk '$5 == "/"' /proc/self/mountinfo | wc -l
	END
	etc=$(poddir)/stage1/rootfs/etc
	mkdir -p $etc
	printf 'nameserver 192.0.2.1\n' >$etc/rkt-resolv.conf
	printf '127.0.0.1 localhost\n192.0.2.7 db db\n' >$etc/rkt-hosts
	ln -s ../run/resolv.conf $root/etc/resolv.conf
	again --hostname=box --dns-conf-mode=resolv=stage0,hosts=stage0
	ro='Read-only file system'
	expect stdout "127.0.0.1 localhost box
192.0.2.7 db db / box / nameserver 192.0.2.1
$ro
$ro
x
/dev/null character special file 666 1:3
/dev/zero character special file 666 1:5
/dev/full character special file 666 1:7
/dev/random character special file 666 1:8
/dev/urandom character special file 666 1:9
/dev/tty character special file 666 5:0
/dev/net/tun character special file 666 a:c8
/dev/console character special file 600 5:1
/dev/ptmx character special file 666 5:2
console fd full log net null ptmx pts random shm stderr stdin stdout tty urandom zero 
$ro
0 directory
555 directory
0 directory
0 directory
0 regular empty file
0 regular empty file
cgroup
$ro
/sys/class/net
1" "$(cat $OUT/stdout)" && expect stderr "" "$(cat $OUT/stderr)"
}

# Two apps on overlays of one image, whose files have the same numbers: neither sees what the other writes. The
# image has no hosts: it gets the fallback. The mounts of the host that the roots are stay free.
t_mounts_overlay_roots_and_default_etc() {
	modprobe overlay 2>/dev/null
	mount_pod "" "" <<-'END'
		cat /etc/group >/dev/null && : >/dev/shm/$1
		until [ -e /dev/shm/app ] && [ -e /dev/shm/two ]; do sleep 0.1; done
		if [ $1 = app ]; then
			cat /etc/hosts /etc/hostname; ls -d /etc/resolv.conf 2>&1 | sed 's/.*: //'
			echo kept >/kept; echo app >>/etc/group; echo up; : >/dev/shm/written
		else
			until [ -e /dev/shm/written ]; do sleep 0.1; done
			echo two >>/etc/group; tail -n 1 /etc/group; ls -d /kept 2>&1 | sed 's/.*: //'
		fi
	END
	one='"image": {"id": "sha512-00"}, "app": {"user": "0", "group": "0", "exec": ["/bin/sh", "/script"'
	cat >"$(poddir)/pod" <<-END
		{ "acVersion": "1.30.0", "acKind": "PodManifest", "apps": [ { "name": "app", $one, "app"] } },
		  { "name": "two", $one, "two"] } } ] }
	END
	rm -f $root/etc/hosts $root/etc/resolv.conf # made for the pod that has ended
	two=$(poddir)/stage1/rootfs/opt/stage2/two/rootfs
	cp -a $(poddir)/appsinfo/app $(poddir)/appsinfo/two
	mkdir -p $OUT/o/app $OUT/o/two $OUT/o/work1 $OUT/o/work2 $two
	mv $root $OUT/o/lower && mkdir $root
	mount -t overlay -o lowerdir=$OUT/o/lower,upperdir=$OUT/o/app,workdir=$OUT/o/work1 overlay $root &&
		mount -t overlay -o lowerdir=$OUT/o/lower,upperdir=$OUT/o/two,workdir=$OUT/o/work2 overlay $two || return 1
	again &
	wait_for "the app to start" grep -q ': up$' $OUT/stdout
	umount $root && umount $two || fail "the root's overlay is busy in the host while the pod runs" || return 1
	wait $!
	expect status 0 "$(status)" && expect stdout "127.0.0.1	localhost rkt-$(uuid)
::1	localhost ip6-localhost ip6-loopback
rkt-$(uuid)
No such file or directory
up
two
No such file or directory" "$(cat $OUT/stdout)" && expect upper kept "$(cat $OUT/o/app/kept)" &&
		expect groups "app two" "$(echo $(tail -n 1 $OUT/o/app/etc/group) $(tail -n 1 $OUT/o/two/etc/group))" &&
		expect "mounts of the pod" 0 "$(grep -c "$(uuid)" /proc/self/mounts)"
}

t_mounts_refused() {
	bad() {
		mount_pod "$(mounts_of v=$1)" "{\"name\":\"v\",\"kind\":\"host\",\"source\":\"$2\"}" </dev/null
		shift 2
		[ -z "$2" ] || $2
		again
		expect_refused "$1" && [ ! -e "$(poddir)/sharedVolumes" ] && rm -rf $DATA
	}
	bad /v $OUT/none "app 'app', volume 'v': Failed to stat $OUT/none: No such file or directory" &&
		bad /v /dev/vda "app 'app', volume 'v': /dev/vda is a device of this host: a virtual machine has only null, zero, full, random, urandom, tty, ptmx and tun" &&
		bad / $OUT "app 'app', volume 'v': it cannot take the place of the app's root" &&
		bad /bin/busybox $OUT "app 'app': mount '/bin/busybox': a directory cannot take the place of a file" &&
		loop() { ln -s loop $root/loop; } &&
		bad /loop/x $OUT "app 'app': mount '/loop/x': its place: Too many levels of symbolic links" loop
}

# The same by the command line, as rkt's users write it, in a pod of two apps.
t_mounts_of_two_apps_by_the_command_line() {
	mkdir -p $OUT/v && echo fixed >$OUT/v/file && chmod 0777 $OUT/v
	one='[ -e /host/file ] && (echo x >/host/new) 2>&1 | sed "s/.*: //"; (echo x >/private) 2>&1 | sed "s/.*: //"
		until [ -e /e/two ]; do sleep 0.1; done; cat /e/two; tail -n 1 /etc/hosts; cat /etc/resolv.conf /etc/hostname
		stat -c "%a %u" /e; ls /private 2>/dev/null; df /e | wc -l'
	two='echo by two >/private; echo mine >/e/two; echo x >/dev/null; cat /host/file 2>&1 | sed "s/.*: //"; sleep 2'
	pod --hostname=box --dns=192.0.2.9 --dns-search=example.org --hosts-entry=192.0.2.7=db \
		--volume=h,kind=host,source=$OUT/v,readOnly=true --volume=e,kind=empty,mode=1777,uid=5 --mount=volume=e,target=/e \
		$IMAGE --name=one --readonly-rootfs --mount=volume=h,target=/host -- -c "$one" --- \
		$IMAGE --name=two -- -c "$two" >$OUT/stdout 2>$OUT/stderr
	echo $? >$OUT/status
	ro='Read-only file system'
	expect status 0 "$(status)" && expect stdout "1777 5
192.0.2.7 db
2
No such file or directory
$ro
$ro
box
mine
nameserver 192.0.2.9
search example.org" "$(sed 's/^\[[^]]*\] *//; s/^[a-z]*\[[0-9]*\]: //' $OUT/stdout | grep -v -e '^# ' -e '^$' | sort)"
}
