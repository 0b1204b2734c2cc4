# The pod's files by 9p.

# The 9p root against a tmpfs, operation by operation: tests/p9/diff.c.
t_9p_root_is_a_file_system() {
	sh_pod 'for seed in 1 2 3 4; do p9test diff /one /dev/shm/other $seed 1500 || exit 1; done; p9test many /many 150
		# more than a ring holds (kernel/patches/9p-xen-wake-waiters.patch)
		timeout 100 p9test wide /wide 24 >/dev/null || exit 1
		for i in 1 2 3 4 5; do p9test many /killed$i 60 & sleep 0.3; kill -9 $!; wait $!; done 2>/dev/null
		echo "and all goes on" >/after; cat /after'
	expect status 0 "$(status)" && expect stdout "1500 steps from seed 1, no difference
1500 steps from seed 2, no difference
1500 steps from seed 3, no difference
1500 steps from seed 4, no difference
150 at once
and all goes on" "$(cat $OUT/stdout)" || { sed 's/^/# /' $OUT/stdout | tail -n 60; return 1; }
}

# end_of_steps STATUS: of a case with two logs of the same steps; when it failed, shows where they part.
end_of_steps() {
	[ $1 = 0 ] || diff -U 3 $OUT/log $root/log | cut -c 1-300 | head -n 40 | sed 's/^/# /'
	rm -rf $DATA
	return $1
}

# The same seeds on the 9p root, on what it exports: dom0's ext4 with its attributes and ACLs. SEEDS, STEPS: for more.
t_9p_is_like_ext4() {
	DATA=/var/tmp/rkt
	sh_pod "for seed in ${SEEDS:-11 12}; do p9test steps /s \$seed ${STEPS:-1500} || exit 1; done >/log"
	root=$(poddir)/stage1/rootfs/opt/stage2/app/rootfs
	for seed in ${SEEDS:-11 12}; do $root/bin/p9test steps /var/tmp/s $seed ${STEPS:-1500}; done >$OUT/log
	expect status 0 "$(status)" && expect "lines" "$(wc -l <$OUT/log)" "$(wc -l <$root/log)" && cmp $OUT/log $root/log
	end_of_steps $?
}

# And by QEMU's backend, but for what it is known not to do: tests/p9/gaps.h.
t_9p_is_like_qemus() {
	DATA=/var/tmp/rkt
	sh_pod "p9test gaps /gaps && for seed in ${SEEDS:-14}; do p9test steps-without-gaps /s \$seed ${STEPS:-1500} || exit 1; done >/log"
	root=$(poddir)/stage1/rootfs/opt/stage2/app/rootfs
	mv $root/log $OUT/log
	expect status 0 "$(status)" && expect "gaps of ours" "mkfifo: done
mknod: done
bind: done
an attribute set to nothing: done
ftruncate without a name: done" "$(cat $OUT/stdout)" && cp init-qemu "$(poddir)/stage1/rootfs/init" && again &&
		expect "QEMU's status" 0 "$(status)" && expect "gaps of QEMU's" "mkfifo: ENXIO
mknod: ENXIO
bind: ENXIO
an attribute set to nothing: ENODATA
ftruncate without a name: ENOENT" "$(cat $OUT/stdout)" && cmp $OUT/log $root/log
	end_of_steps $?
}

# Several processes with one file, and calls among signals (kernel/patches and stage1/p9/ring.c: what was asked for is
# done once). The disk has the files: there requests take their time.
t_9p_processes_share_files() {
	DATA=/var/tmp/rkt
	sh_pod 'p9test shared /shared && p9test signals /signals 150 700'
	rm -rf $DATA
	expect status 0 "$(status)" && expect stdout "shared as files are
150 turns among signals" "$(cat $OUT/stdout)"
}

# stage1/p9/ring.c, kernel/patches/9p-answers-to-the-killed.patch: what the killed had asked for, and two of them at once.
# The disk has the files: there requests take their time.
t_9p_processes_die_in_the_act() {
	DATA=/var/tmp/rkt
	sh_pod 'p9test killed /killed 300' --cpu=2
	rm -rf $DATA
	expect status 0 "$(status)" && expect stdout "300 times some were killed, and 900 files are open" "$(cat $OUT/stdout)"
}

# What the guest sees of links that lead out of its root is its own files, and dom0's stay untouched.
t_9p_links_lead_nowhere_in_dom0() {
	echo secret >/tmp/case/secret
	sh_pod 'mkdir /farm; for up in .. ../.. ../../../../../../../..; do
			for to in tmp/case/secret etc/shadow job; do ln -s $up/$to "/farm/$(echo $up/$to | tr / _)"; done; done
		ln -s /tmp/case/secret /farm/abs; ln -s / /farm/root
		cat /farm/* 2>/dev/null; ls /farm/root/ | head -n 1; for f in /farm/*; do echo bad >$f; done 2>/dev/null
		mkfifo /fifo; (echo through >/fifo) & cat /fifo
		exec 5>/open 6</open; rm /open; echo unlinked >&5; cat <&6; ls /open'
	expect stdout "bin
through
unlinked" "$(cat $OUT/stdout)" && expect secret secret "$(cat /tmp/case/secret)"
}

# On a disk, where reads wait, writes are synced and files have attributes; dom0 sees what the guest made.
t_9p_on_a_disk() {
	DATA=/var/tmp/rkt
	sh_pod 'p9test names /names && p9test diff /one /dev/shm/other 7 1500 && p9test many /many 20 && echo kept >/kept &&
		mkfifo -m 600 /pipe && mknod /null c 1 3 && sync'
	root=$(poddir)/stage1/rootfs/opt/stage2/app/rootfs
	expect stdout "attributes are kept
1500 steps from seed 7, no difference
20 at once" "$(cat $OUT/stdout)" && expect kept kept "$(cat $root/kept)" &&
		expect pipe "fifo 600 0" "$(stat -c '%F %a %u' $root/pipe)" &&
		expect null "character special file 1,3" "$(stat -c '%F %t,%T' $root/null)"
	ret=$?
	rm -rf $DATA
	return $ret
}
