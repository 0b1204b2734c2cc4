# Pods of several apps, and what happens around an app's own program.

# several NAME=JSON...: the last pod once more, with these apps (their exec and what follows it) on the roots of
# that pod's one app. Left in $OUT as sh_pod does.
several() {
	ended_pod
	dir=$(poddir)
	image="{$(sed 's/.*\("id":"[^"]*"\).*/\1/' $dir/pod)}"
	apps=
	for spec in "$@"; do
		name=${spec%%=*}
		apps="$apps${apps:+,}{\"name\":\"$name\",\"image\":$image,\"app\":{\"user\":\"0\",\"group\":\"0\",\"exec\":${spec#*=}}}"
		[ -d $dir/stage1/rootfs/opt/stage2/$name ] ||
			cp -a $dir/stage1/rootfs/opt/stage2/app $dir/stage1/rootfs/opt/stage2/$name
		[ -d $dir/appsinfo/$name ] || cp -a $dir/appsinfo/app $dir/appsinfo/$name
	done
	rm -f $dir/stage1/rootfs/rkt/status/*
	printf '{"acVersion":"1.30.0","acKind":"PodManifest","apps":[%s]}' "$apps" >$dir/pod
	again
}

statuses() { (cd "$(poddir)/stage1/rootfs/rkt/status" && for f in *; do printf '%s ' "$f=$(cat $f)"; done); }

t_several_apps_and_the_first_that_fails() {
	several 'zero=["sh","-c","echo $$ >/dev/shm/zero; echo zero; exit 0"]' \
		'five=["sh","-c","until [ -e /dev/shm/six ] && [ -s /dev/shm/zero ] && ! kill -0 $(cat /dev/shm/zero) 2>/dev/null; do sleep 0.1; done
			echo five; exit 5"]' \
		'six=["sh","-c","trap \"echo told; exit 6\" TERM; echo six; : >/dev/shm/six; while :; do sleep 0.1; done"]'
	expect status 5 "$(status)" && expect files "five=5 six=0 zero=0 " "$(statuses)" &&
		expect stdout "five six told zero" "$(sort $OUT/stdout | tr '\n' ' ' | sed 's/ $//')"
}

t_several_apps_share_all_but_their_files() {
	several 'one=["sh","-c","echo x >/only-mine; cat /proc/sys/kernel/random/boot_id; readlink /proc/self/ns/pid; until [ -s /dev/shm/pid ]; do sleep 0.1; done
			kill -0 $(cat /dev/shm/pid) && echo sees two; : >/dev/shm/seen"]' \
		'two=["sh","-c","echo $$ >/dev/shm/pid; cat /proc/sys/kernel/random/boot_id; readlink /proc/self/ns/pid; until [ -e /dev/shm/seen ]; do sleep 0.1; done
			ls /only-mine 2>/dev/null; exit 0"]'
	expect status 0 "$(status)" && expect "what they see" "1 2 2" "$(sort $OUT/stdout | uniq -c | awk '{ print $1 }' | sort | tr '\n' ' ' | sed 's/ $//')"
}

t_event_handlers() {
	several 'app=["sh","-c","echo main $(id -u)"],"user":"web","group":"www","workingDirectory":"/tmp","eventHandlers":[
		{"name":"pre-start","exec":["/bin/sh","-c","echo pre $(id -u) $(pwd)"]},
		{"name":"post-stop","exec":["/bin/sh","-c","echo post $(id -u) $AC_APP_NAME"]}]'
	expect status 0 "$(status)" && expect stdout "pre 0 /tmp
main 1000
post 0 app" "$(cat $OUT/stdout)"
}

# What rkt's kvm takes of the environment; and what it does not give an app of the host: its time zone.
t_words_for_the_guests_kernel() {
	ours="console=hvc0 loglevel=4 noreplace-smp percpu_alloc=page"
	RKT_HYPERVISOR_EXTRA_KERNEL_PARAMS="loglevel=5 stage1xen.test=yes"
	export RKT_HYPERVISOR_EXTRA_KERNEL_PARAMS
	sh_pod 'cat /proc/cmdline; ls /etc/localtime; date +%Z'
	expect status 0 "$(status)" && expect stdout "$ours loglevel=5 stage1xen.test=yes
UTC" "$(cat $OUT/stdout)" || return 1
	RKT_HYPERVISOR_EXTRA_KERNEL_PARAMS=$(head -c 1100 /dev/zero | tr '\0' x)
	sh_pod true
	expect_refused "RKT_HYPERVISOR_EXTRA_KERNEL_PARAMS: the kernel's command line would have $((${#ours} + 1101)) bytes, and 1023 fit"
}
