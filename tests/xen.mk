# What the tests on real Xen need: an app image, busybox below a small root.
APP := $(B)/tests/app.aci
APPLETS := sh awk cat cut dd df echo env false free grep head hostname id ip kill ln ls mkdir mkfifo mknod mount nc netstat nproc od \
	ping ping6 ps pwd sed sha256sum sleep rm sort stat stty sync tail tar tr true tty uname wc yes
BUSYBOX ?= $(shell command -v busybox)

$(B)/tests/random:
	@mkdir -p $(@D)
	@openssl enc -aes-128-ctr -nosalt -pass pass:stage1-xen -in /dev/zero 2>/dev/null | head -c 10485760 >$@ || true
	@test "$$(stat -c %s $@)" = 10485760

# Run on a pod's root; static, for the app's root has no libraries.
$(B)/tests/p9test: $(call plain,$(addprefix tests/p9/,p9test.c diff.c gaps.c side.c load.c speed.c names.c shared.c))
	@mkdir -p $(@D)
	@echo "  LD[vm]  $@"
	@$(CC) -static -s -o $@ $^ -lpthread

$(APP): $(B)/tests/p9test $(B)/tests/nettest $(B)/tests/guest-notify $(B)/tests/guest-sockecho $(wildcard tests/xen/app/*) $(B)/tests/random $(B)/pack tests/xen.mk
	@echo "  PACK    $@"
	@$(B)/pack --format=aci $@ manifest=tests/xen/app/manifest rootfs/bin/busybox=$(BUSYBOX):0755 \
		$(foreach a,$(APPLETS),'rootfs/bin/$(a)->busybox') rootfs/etc/passwd=tests/xen/app/passwd \
		rootfs/bin/p9test=$(B)/tests/p9test:0755 rootfs/bin/nettest=$(B)/tests/nettest:0755 \
		rootfs/bin/notify=$(B)/tests/guest-notify:0755 rootfs/bin/sockecho=$(B)/tests/guest-sockecho:0755 rootfs/etc/group=tests/xen/app/group rootfs/tmp/:1777 rootfs/root/:0700 \
		rootfs/random=$(B)/tests/random

# The same, as other tools make images.
OCI_APP := $(B)/tests/app-docker.tar
$(OCI_APP): tests/xen/make-oci $(APP)
	@echo "  PACK    $@"
	@tests/xen/make-oci $(APP) $@ $(B)/tests/app-layout
check-xen check-pvh check-run: $(OCI_APP)

# The cases run in one boot: tests/xen/suite [PATTERN]
.PHONY: check-xen
check-xen: $(ACI) $(B)/stage0/stage0 $(APP) $(DEB) ## only the tests on real Xen; CASES="pattern ..."
	@BUILD=$(B) tests/xen/suite '$(or $(CASES),*)'

# Again with PVH guests: tests/xen/suite-pvh [PATTERN]
.PHONY: check-pvh
check-pvh: $(ACI) $(B)/stage0/stage0 $(APP) $(DEB) ## only the tests of PVH guests; CASES="pattern ..."
	@BUILD=$(B) tests/xen/suite-pvh $(if $(CASES),'$(CASES)')

# Lives that end by kills, in one boot: SOAK=lives, SEED to repeat a run. Hours; not a part of check.
.PHONY: soak
soak: $(ACI) $(B)/stage0/stage0 $(APP) ## pods killed at random, nothing may be left nor grow; SOAK=200
	@BUILD=$(B) tests/xen/soak '$(or $(SOAK),200)'

# The benchmark's plain domain: the pod kernel with a PID 1 that says one word.
$(B)/tests/bench-init: $(call plain,tests/xen/bench-init.c)
	@mkdir -p $(@D)
	@$(CC) -static -s -o $@ $^
$(B)/tests/bench-initramfs: $(B)/tests/bench-init $(B)/pack
	@$(B)/pack --format=initramfs $@ init=$(B)/tests/bench-init:0755 dev/
# what a pod unpacks
$(B)/tests/tree.tar: $(shell git ls-files -- stage1 init 2>/dev/null)
	@mkdir -p $(@D)
	@tar --sort=name --mtime=@0 -cf $@ stage1 init
bench-run: $(B)/tests/bench-initramfs $(B)/tests/init-qemu $(B)/tests/tree.tar

# The two ends of a network, and a plain domain that is one of them.
$(B)/tests/nettest: $(call plain,tests/xen/nettest.c init/net.c $(NETLINK) $(COMMON))
	@mkdir -p $(@D)
	@echo "  LD[vm]  $@"
	@$(CC) -static -s -o $@ $^
$(B)/tests/nettest-initramfs: $(B)/tests/nettest $(B)/pack
	@$(B)/pack --format=initramfs $@ init=$(B)/tests/nettest:0755 dev/
bench-run: $(B)/tests/nettest-initramfs
check-xen check-pvh check-run: $(B)/tests/nettest

# The same `run` with QEMU as the 9p backend, to compare ours with.
$(B)/obj/tests/plan-qemu.o: stage1/plan/plan.c
	@mkdir -p $(@D)
	@$(CC_RULE) -DPLAN_P9_BACKEND=P9_QEMU -c $< -o $@
$(B)/tests/init-qemu: $(call obj,$(filter-out stage1/plan/plan.c,$(PROG_init))) $(B)/obj/tests/plan-qemu.o
	@$(call testlink,$(JSON) $(SECCOMP))

# A user at a terminal.
$(B)/tests/ptyrun: $(call plain,tests/xen/ptyrun.c)
	@mkdir -p $(@D)
	@$(CC) -static -s -o $@ $^ -lutil
check-xen check-pvh check-run: $(B)/tests/ptyrun $(B)/tests/init-qemu

# Hostile guests, an initramfs for each way to misbehave.
HOSTILE := $(addprefix $(B)/tests/hostile-,garbage huge flood chatter half trespass nodes)
$(B)/tests/hostile: $(call plain,tests/xen/hostile.c init/server.c init/mounts.c $(WIRE) $(COMMON))
	@mkdir -p $(@D)
	@echo "  LD[vm]  $@"
	@$(CC) -static -s -o $@ $^ $(GUESTLIBS)
$(HOSTILE): $(B)/tests/hostile-%: $(B)/tests/hostile $(B)/pack
	@printf %s '$*' >$@.mode
	@$(B)/pack --format=initramfs $@ init=$(B)/tests/hostile:0755 mode=$@.mode:0644 base/ dev/
check-xen check-pvh check-run: $(HOSTILE) $(B)/tests/mapper

$(B)/tests/mapper: $(call plain,tests/xen/mapper.c)
	@mkdir -p $(@D)
	@$(CC) -static -s -o $@ $^

# What Debian 13 has instead: not a part of check, for it takes another tree of packages and another rig.
TRIXIE_CASES ?= exit_* stdin_is* arguments_* two_pods_* stop_by_force supervisor_killed_then_gc mounts_host_* pause_and_* stats_* \
	net_ports_*
.PHONY: check-trixie check-trixie-run
check-trixie: ## build for Debian 13 (Xen 4.20) and run cases there; TRIXIE_CASES="pattern ..."
	@scripts/deps build test deb rig
	@$(MAKE) --no-print-directory check-trixie-run
check-trixie-run: $(ACI) $(APP) $(DEB) $(OCI_APP) $(B)/tests/nettest $(B)/tests/ptyrun $(HOSTILE) $(B)/tests/mapper
	@BUILD=$(B) tests/xen/trixie $(CACHE) '$(TRIXIE_CASES)'

# Databases, package managers and others on a pod's root: not a part of check, for their image is large.
.PHONY: check-programs check-programs-run
check-programs: ## PostgreSQL, MariaDB, git, SQLite, apt, fio and others on a 9p root; PROGRAMS="apt git ..."
	@scripts/deps build test rig
	@$(MAKE) --no-print-directory check-programs-run
check-programs-run: $(ACI) $(B)/stage0/stage0
	@BUILD=$(B) tests/xen/check-programs $(CACHE) $(PROGRAMS)
