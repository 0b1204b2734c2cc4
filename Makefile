# stage1-xen. `make help` lists what there is. Objects and products go below build/ (build-san/ with
# SAN=1); what is slow to make once (the guest kernel, the test rig) below CACHE.

VERSION := 0.1.0
CACHE ?= $(if $(STAGE1_XEN_CACHE),$(STAGE1_XEN_CACHE),$(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/stage1-xen)
PREFIX ?= /usr
DESTDIR ?=
SOURCE_DATE_EPOCH ?= 0
export SOURCE_DATE_EPOCH

# The Xen this is built for: that of libxen-dev, whose libraries carry it in their names.
XEN_VERSION := $(shell dpkg-query -W -f "\$${Version}" libxen-dev 2>/dev/null | cut -d. -f1,2)

B := build
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Werror=implicit
BASE := -std=gnu11 -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -DXEN_VERSION='"$(XEN_VERSION)"' \
	-DSTAGE1_PATH_DEFAULT='"$(PREFIX)/lib/stage1-xen/stage1-xen.aci"' -I. -ffile-prefix-map=$(CURDIR)=.
CFLAGS ?= -O2 -g
HARDEN := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
LDHARDEN := -pie -Wl,-z,relro,-z,now
ifeq ($(SAN),1)
B := build-san
CFLAGS := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
HARDEN := -fPIE
endif
CC_RULE = $(CC) $(BASE) $(WARN) $(CFLAGS) $(HARDEN) -MMD -MP

# The layers, readable here: what each program is made of.
COMMON      := stage1/common/err.c stage1/common/util.c
WIRE        := $(addprefix stage1/common/,wire.c guest_plan.c exec_request.c)
NETLINK     := stage1/common/netlink.c
XSWIRE      := stage1/common/xswire.c
POD         := $(addprefix stage1/pod/,jnode.c read.c isolators.c volumes.c ports.c pod.c)
PLAN        := $(addprefix stage1/plan/,check.c etc.c logs.c mounts.c plan.c streams.c isolators.c listen.c quantity.c caps.c seccomp.c \
	seccomp_sets.c place.c size.c type.c) stage1/cli.c
PRINT       := stage1/plan/print.c
SESSION     := $(addprefix stage1/,session.c session_take.c session_apps.c session_exec.c)
CONTROL     := $(addprefix stage1/,control.c control_attach.c control_exec.c control_stdin.c attach_request.c)
SUPERVISE   := $(SESSION) $(addprefix stage1/,pump.c supervise.c trace.c console.c signals.c terminal.c escape.c \
	output.c prefix.c applog.c crilog.c journal.c podjournal.c sink.c relay.c) $(CONTROL)
APPS        := $(addprefix stage1/,apps.c apps_serve.c app_add.c app_files.c machine.c)
RUN         := $(addprefix stage1/,run.c listen.c notify.c core.c export.c export_tree.c idmap.c volumes.c poddir.c etc.c) \
	$(APPS)
REMOVE      := stage1/remove.c stage1/pidnote.c
# what CNI says, read and planned; what is done with it; and for the guest
CNI         := $(addprefix stage1/net/,conf.c select.c result.c info.c forward.c)
NETGONE     := $(CNI) $(addprefix stage1/net/,files.c child.c nft.c plugin.c netns.c localnet.c ports.c remove.c) $(NETLINK)
NET         := $(NETGONE) $(addprefix stage1/net/,net.c make.c remote.c takeover.c join.c)
HOST        := stage1/host.c
XEN         := $(addprefix stage1/xen/,handle.c domcfg.c domain.c usage.c store.c events.c vchan.c p9.c)
GUEST       := $(addprefix init/,guest.c app.c added.c notify.c entered.c task.c process.c ends.c streams.c sockets.c become.c \
	diagnose.c cgroup.c devices.c limits.c passwd.c mounts.c signals.c view.c target.c copy.c net.c)
UNPACK      := $(addprefix stage0/,unpack.c place.c root.c remove.c stream.c names.c digest.c)
OCI         := $(addprefix stage0/,oci.c oci_store.c oci_file.c oci_index.c oci_image.c oci_convert.c oci_layers.c spool.c)
LINE        := $(addprefix stage0/,cli.c dns.c environ.c image.c isolators.c jbuild.c manifest.c podflags.c \
	ports.c quantity.c runargs.c runline.c) stage1/plan/quantity.c
STAGE0      := $(UNPACK) $(filter-out $(UNPACK) stage0/main.c,$(sort $(wildcard stage0/*.c)))

PROG_init   := stage1/main_run.c $(RUN) $(SUPERVISE) $(NET) $(PLAN) $(POD) $(HOST) $(WIRE) $(COMMON)
PROG_enter  := stage1/main_enter.c stage1/enter.c stage1/appctl.c stage1/caller.c $(SESSION) stage1/pump.c stage1/sink.c stage1/signals.c \
	stage1/terminal.c stage1/cli.c $(POD) $(WIRE) $(COMMON)
PROG_attach := stage1/main_attach.c stage1/attach.c stage1/attach_request.c stage1/caller.c $(SESSION) stage1/pump.c \
	stage1/sink.c stage1/signals.c stage1/terminal.c stage1/escape.c stage1/cli.c stage1/common/wire.c $(COMMON)
PROG_app_add := stage1/main_app.c stage1/appctl.c stage1/cli.c $(COMMON)
PROG_gc     := stage1/main_gc.c $(REMOVE) stage1/cli.c $(NETGONE) stage1/pod/jnode.c $(HOST) $(COMMON)
PROG_stop   := stage1/main_stop.c $(REMOVE) stage1/poddir.c stage1/cli.c $(POD) $(HOST) $(COMMON)
PROG_machine := stage1/main_machine.c stage1/usage.c stage1/poddir.c stage1/cli.c stage1/net/netns.c $(NETLINK) $(POD) $(HOST) $(COMMON)
PROG_guest  := init/main.c init/server.c init/backends.c init/cpus.c $(GUEST) $(XSWIRE) $(NETLINK) $(WIRE) $(COMMON)
PROG_vif    := stage1/main_vif.c stage1/net/nft.c stage1/net/child.c $(NETLINK) $(COMMON)
P9          := $(addprefix stage1/p9/,proto.c node.c fid.c server.c session.c files.c names.c attr.c xattr.c)
P9XEN       := $(addprefix stage1/p9/,ring.c serve.c device.c confine.c filter.c)

PROG_p9     := stage1/main_p9.c $(P9XEN) $(P9) $(COMMON)
PROG_stage0 := stage0/main.c $(STAGE0) $(CNI) stage1/net/files.c stage1/volumes.c stage1/etc.c $(XSWIRE) $(PRINT) $(PLAN) $(POD) $(WIRE) $(COMMON)
PROG_pack   := scripts/pack.c scripts/pack_tree.c $(COMMON)
MODULE_xen  := $(XEN) stage1/pidnote.c stage1/common/wire.c $(COMMON)

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))
pic = $(patsubst %.c,$(B)/pic/%.o,$(1))
plain = $(patsubst %.c,$(B)/plain/%.o,$(1))

# json-c and libseccomp (the numbers of system calls) are linked in: a host with Xen has Xen's libraries, but need
# not have ours.
JSON := -l:libjson-c.a
SECCOMP := -l:libseccomp.a
XENLIBS := -lxenlight -lxenvchan -lxenstore -lxentoollog
GUESTLIBS := -Wl,--start-group -lxenvchan -lxenstore -lxengnttab -lxenevtchn -lxentoolcore -lxentoollog -Wl,--end-group -lpthread

ACI := $(B)/stage1-xen.aci
ENTRYPOINTS := $(addprefix $(B)/stage1/,init enter attach app_add gc stop machine p9 vif)
APP_NAMES := app_start app_stop app_rm # app_add's other names
MODULE := $(B)/stage1/xen-$(XEN_VERSION).so
DEB := $(B)/stage1-xen_$(VERSION)_amd64.deb

.DELETE_ON_ERROR:
.PHONY: all install kernel demo demo-run check check-run bench bench-run trace trace-run lint lint-run deb clean help
all: $(ACI) $(B)/stage0/stage0 ## build the stage1 image and stage0

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC_RULE) -c $< -o $@
$(B)/pic/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC[so]  $<"
	@$(CC_RULE) -fPIC -fvisibility=hidden -c $< -o $@
# The guest's PID 1 is never built with sanitizers: it is static and nobody reads its reports.
$(B)/plain/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC[vm]  $<"
	@$(CC) $(BASE) $(WARN) -O2 -g -fstack-protector-strong -D_FORTIFY_SOURCE=2 -MMD -MP -c $< -o $@

define link
@mkdir -p $(@D)
@echo "  LD      $@"
@$(CC) $(CFLAGS) $(LDHARDEN) -o $@ $^ $(1)
endef

$(B)/stage1/init: $(call obj,$(PROG_init)); $(call link,$(JSON) $(SECCOMP))
$(B)/stage1/enter: $(call obj,$(PROG_enter)); $(call link,$(JSON))
$(B)/stage1/attach: $(call obj,$(PROG_attach)); $(call link)
$(B)/stage1/app_add: $(call obj,$(PROG_app_add)); $(call link)
$(B)/stage1/p9: $(call obj,$(PROG_p9)); $(call link,-lxenstore -lxengnttab -lxenevtchn -lpthread)
$(B)/stage1/vif: $(call obj,$(PROG_vif)); $(call link,-lxenstore)
$(B)/stage1/gc: $(call obj,$(PROG_gc)); $(call link,$(JSON))
$(B)/stage1/stop: $(call obj,$(PROG_stop)); $(call link,$(JSON))
$(B)/stage1/machine: $(call obj,$(PROG_machine)); $(call link,$(JSON))
$(B)/stage0/stage0: $(call obj,$(PROG_stage0)); $(call link,-larchive -lmd $(JSON) $(SECCOMP))
$(B)/pack: $(call obj,$(PROG_pack)); $(call link,-larchive)

$(MODULE): $(call pic,$(MODULE_xen))
	@mkdir -p $(@D)
	@echo "  LD[so]  $@"
	@$(CC) $(CFLAGS) -shared -Wl,-z,relro,-z,now -Wl,--no-undefined -o $@ $^ $(XENLIBS)
ifeq ($(SAN),1)
$(MODULE): LDFLAGS += -shared-libasan
endif

$(B)/guest/init: $(call plain,$(PROG_guest))
	@mkdir -p $(@D)
	@echo "  LD[vm]  $@"
	@$(CC) -static -s -o $@ $^ $(GUESTLIBS)

$(B)/initramfs: $(B)/guest/init $(B)/pack
	@echo "  PACK    $@"
	@$(B)/pack --format=initramfs $@ init=$(B)/guest/init:0755 base/ \
		dev/ proc/ sys/ root/:0700

# The guest kernel: `make KERNEL=path` takes one already built.
ifdef KERNEL
$(B)/vmlinux: $(KERNEL)
	@mkdir -p $(@D)
	@cp $< $@
else
$(B)/vmlinux: kernel/config kernel/build $(wildcard kernel/patches/*.patch kernel/patches/*/*.patch)
	@mkdir -p $(@D)
	@image=$$(kernel/build $(CACHE)) && cp $${image%/*}/bzImage $(B)/bzImage && cp $$image $@
endif
kernel: $(B)/vmlinux ## build only the guest kernel

$(B)/manifest.json: manifest.json.in Makefile
	@mkdir -p $(@D)
	@sed 's/@VERSION@/$(VERSION)/' $< >$@

ROOTFS_FILES := $(shell find rootfs -type f)
$(ACI): $(ENTRYPOINTS) $(MODULE) $(B)/initramfs $(B)/vmlinux $(B)/manifest.json $(B)/pack $(ROOTFS_FILES)
	@echo "  PACK    $@"
	@$(B)/pack --format=aci $@ manifest=$(B)/manifest.json rootfs/=rootfs rootfs/rkt/status/ rootfs/rkt/env/ \
		rootfs/export/ rootfs/opt/stage2/ \
		$(foreach p,$(ENTRYPOINTS),rootfs/$(notdir $(p))=$(p):0755) \
		$(foreach n,$(APP_NAMES),'rootfs/$(n)->app_add') \
		rootfs/lib/stage1-xen/$(notdir $(MODULE))=$(MODULE):0755 \
		rootfs/boot/vmlinux=$(B)/vmlinux:0644 rootfs/boot/initramfs=$(B)/initramfs:0644

# Tests: tests/*.mk add what they build to TESTS. Each is a program that writes TAP and is run by
# scripts/check from the top directory with BUILD set; what needs Xen is in tests/xen.
TESTS :=
testlink = @mkdir -p $(@D); echo "  LD      $@"; $(CC) $(CFLAGS) $(LDHARDEN) -o $@ $^ $(1)
include $(wildcard tests/*.mk)

# What installs packages comes first, in a make of its own: the makefile asks dpkg what is there.
demo: ## boot Xen in QEMU and run a pod on it
	@scripts/deps build test rig
	@$(MAKE) --no-print-directory demo-run
check: ## all tests, those on real Xen too; SAN=1: those that need no Xen, with sanitizers
	@scripts/deps build test deb rig
	@$(MAKE) --no-print-directory check-run
bench: ## pods against xl create and against QEMU, in the rig; RUNS=n, BENCH="parts of tests/xen/benches"
	@scripts/deps build test rig
	@$(MAKE) --no-print-directory bench-run
trace: ## where the time of a pod's start goes, drawn, in the rig; TRACE="flags of stage0 run"
	@scripts/deps build test rig
	@$(MAKE) --no-print-directory trace-run
lint: ## clang-tidy, cppcheck, and who may include whom
	@scripts/deps build lint
	@$(MAKE) --no-print-directory lint-run

demo-run: $(ACI) $(B)/stage0/stage0 $(APP)
	@BUILD=$(B) tests/xen/demo
bench-run: $(ACI) $(B)/stage0/stage0 $(APP)
	@BUILD=$(B) tests/xen/bench $(BENCH)
trace-run: $(ACI) $(B)/stage0/stage0 $(APP)
	@BUILD=$(B) tests/xen/trace $(TRACE)
lint-run:
	@mkdir -p $(B)
	@printf '%s\n' $(BASE) >$(B)/lint.flags
	@scripts/lint $(B)/lint.flags
ifeq ($(SAN),1)
check-run: $(TESTS)
	@BUILD=$(B) scripts/check $(B)/logs $(TESTS) scripts/docs-check
else
check-run: $(TESTS) $(ACI) $(B)/stage0/stage0 $(APP) $(DEB)
	@BUILD=$(B) scripts/check $(B)/logs $(TESTS) scripts/layers scripts/docs-check --progress tests/xen/suite tests/xen/suite-pvh
endif

install: all ## install stage0 and the stage1 image below PREFIX (/usr)
	install -D -m 0755 $(B)/stage0/stage0 $(DESTDIR)$(PREFIX)/bin/stage0
	install -D -m 0644 $(ACI) $(DESTDIR)$(PREFIX)/lib/stage1-xen/stage1-xen.aci

deb: ## a Debian package of it all, in build/
	@scripts/deps build deb
	@$(MAKE) --no-print-directory $(DEB)
	@echo $(DEB)
$(DEB): $(ACI) $(B)/stage0/stage0 scripts/deb scripts/man $(wildcard scripts/dist/* scripts/dist/debian/* docs/*.md docs/man/*)
	@echo "  DEB     $@"
	+@scripts/deb $(B) $(VERSION) $(XEN_VERSION) >/dev/null

clean: ## remove what was built here (not the cache)
	rm -rf build build-san

-include $(shell find $(B) -name '*.d' 2>/dev/null)
