# Unit tests: one program each, of the sources it names. Scripts are copied so that they wait for
# the program they test.

UNIT_test_pod        := $(POD) $(COMMON)
UNIT_test_pgp        := stage0/pgp.c stage0/signature.c $(COMMON)
UNIT_test_oci        := tests/unit/sandbox.c $(OCI) $(UNPACK) $(POD) $(COMMON)
UNIT_test_net        := $(CNI) stage1/net/remote.c stage1/common/guest_plan.c stage1/common/wire.c stage1/pod/jnode.c $(COMMON)
UNIT_test_plan       := $(PLAN) $(POD) $(WIRE) $(COMMON)
UNIT_test_isolators  := $(PLAN) $(POD) $(WIRE) $(COMMON)
UNIT_test_place      := $(PLAN) $(POD) $(WIRE) $(COMMON)
UNIT_test_size       := $(PLAN) $(POD) $(WIRE) $(COMMON)
UNIT_test_mounts     := $(PLAN) $(POD) $(WIRE) $(COMMON)
UNIT_test_etc        := stage1/etc.c stage1/plan/etc.c $(COMMON)
UNIT_test_target     := init/target.c $(COMMON)
UNIT_test_copy       := init/copy.c $(COMMON)
UNIT_test_cli        := stage1/cli.c $(COMMON)
UNIT_test_err        := $(COMMON)
UNIT_test_wire       := stage1/common/wire.c $(COMMON)
UNIT_test_guest_plan := $(WIRE) $(COMMON)
UNIT_test_session    := $(SESSION) stage1/common/wire.c $(COMMON)
UNIT_test_exec_request := $(WIRE) $(COMMON)
UNIT_test_console    := stage1/console.c stage1/terminal.c
UNIT_test_attach     := tests/unit/peers.c $(CONTROL) $(SESSION) $(WIRE) $(COMMON)
UNIT_test_enter      := tests/unit/peers.c $(addprefix stage1/,enter.c appctl.c caller.c pump.c sink.c signals.c terminal.c) \
	$(CONTROL) $(SESSION) $(POD) $(WIRE) $(COMMON)
UNIT_test_crilog     := stage1/crilog.c $(COMMON)
UNIT_test_control    := tests/unit/peers.c $(CONTROL) $(SESSION) $(WIRE) $(COMMON)
UNIT_test_apps       := $(addprefix stage1/,apps.c apps_serve.c machine.c poddir.c terminal.c output.c prefix.c applog.c crilog.c journal.c \
	podjournal.c sink.c) $(CONTROL) $(SESSION) $(WIRE) $(POD) $(COMMON)
UNIT_test_app_files  := $(addprefix stage1/,app_files.c export.c export_tree.c idmap.c volumes.c p9/confine.c p9/filter.c) \
	$(PLAN) $(POD) $(WIRE) $(COMMON)
UNIT_test_signals    := stage1/signals.c $(COMMON)
UNIT_test_sink       := stage1/sink.c
UNIT_test_idmap      := stage1/idmap.c $(COMMON)
UNIT_test_notify     := stage1/notify.c $(COMMON)
UNIT_test_poddir     := stage1/poddir.c $(POD) $(COMMON)
UNIT_test_pidnote    := stage1/pidnote.c $(COMMON)
UNIT_test_prefix     := stage1/prefix.c stage1/escape.c
UNIT_test_podjournal := $(addprefix stage1/,podjournal.c journal.c) $(COMMON)
UNIT_test_output     := $(addprefix stage1/,output.c prefix.c applog.c crilog.c journal.c podjournal.c sink.c common/wire.c) $(SESSION) $(COMMON)
UNIT_test_usage      := stage1/usage.c stage1/net/netns.c $(NETLINK) $(COMMON)
UNIT_test_listen     := tests/unit/peers.c $(CONTROL) stage1/listen.c stage1/relay.c $(PLAN) $(POD) $(SESSION) $(WIRE) $(COMMON)
UNIT_test_backends   := init/backends.c $(XSWIRE) $(COMMON)
UNIT_test_passwd     := init/passwd.c $(COMMON)
UNIT_test_streams    := init/streams.c stage1/common/wire.c $(COMMON)
UNIT_test_unpack     := tests/unit/sandbox.c $(UNPACK) $(COMMON)
UNIT_test_tarout     := stage0/tarout.c $(UNPACK) $(COMMON)
UNIT_test_treestore  := $(addprefix stage0/,treestore.c root.c remove.c) $(COMMON)
UNIT_test_podview    := $(addprefix stage0/,gojson.c mounts.c poddir.c pods.c root.c remove.c table.c when.c) $(COMMON)
UNIT_test_manifest   := $(LINE) $(POD) $(COMMON)
UNIT_test_runline    := $(LINE) $(POD) $(COMMON)
UNIT_test_dns        := stage0/dns.c stage0/cli.c $(COMMON)
UNIT_test_mds        := stage0/mds.c $(POD) $(COMMON)
UNIT_test_netlink    := $(NETLINK) $(COMMON)
UNIT_test_quantity   := stage0/quantity.c stage1/plan/quantity.c $(COMMON)

UNITLIBS_test_backends := -lpthread
UNITLIBS_test_oci      := -larchive -lmd $(JSON)
UNITLIBS_test_pgp      := -lmd
UNITLIBS_test_app_files := $(JSON) $(SECCOMP)
UNITLIBS_test_apps     := $(JSON)
UNITLIBS_test_poddir   := $(JSON)
UNITLIBS_test_pod      := $(JSON)
UNITLIBS_test_enter    := $(JSON)
UNITLIBS_test_net      := $(JSON)
UNITLIBS_test_plan     := $(JSON) $(SECCOMP)
UNITLIBS_test_mounts   := $(JSON) $(SECCOMP)
UNITLIBS_test_isolators := $(JSON) $(SECCOMP)
UNITLIBS_test_place    := $(JSON) $(SECCOMP)
UNITLIBS_test_size     := $(JSON) $(SECCOMP)
UNITLIBS_test_manifest := $(JSON)
UNITLIBS_test_runline  := $(JSON)
UNITLIBS_test_mds      := $(JSON)
UNITLIBS_test_unpack   := -larchive -lmd
UNITLIBS_test_treestore := -lmd
UNITLIBS_test_listen   := $(JSON) $(SECCOMP)
UNITLIBS_test_podview  := $(JSON)
UNITLIBS_test_tarout   := -larchive -lmd

UNIT_TESTS := $(patsubst tests/unit/%.c,%,$(sort $(wildcard tests/unit/test_*.c)))
UNIT_SCRIPTS := $(patsubst tests/unit/%.sh,%,$(sort $(wildcard tests/unit/test_*.sh)))

$(B)/tests/test_oci_tools $(B)/tests/test_signatures: $(B)/pack $(B)/stage0/stage0

define unit_test
$(B)/tests/$(1): $(call obj,tests/unit/$(1).c $(UNIT_$(1))); $$(call testlink,-lcmocka $(UNITLIBS_$(1)))
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_test,$(t))))

$(B)/tests/test_pack: $(B)/pack
$(B)/tests/test_stage0: $(B)/pack $(B)/stage0/stage0
$(B)/tests/test_host: $(B)/stage1/init $(B)/stage1/gc $(MODULE)
$(B)/tests/test_stop: $(B)/stage1/stop
$(B)/tests/test_pods $(B)/tests/test_app: $(B)/pack $(B)/stage0/stage0 $(B)/tests/pods_lib.sh
$(B)/tests/pods_lib.sh: tests/unit/pods_lib.sh
	@mkdir -p $(@D)
	@cp $< $@
$(addprefix $(B)/tests/,$(UNIT_SCRIPTS)): $(B)/tests/%: tests/unit/%.sh
	@mkdir -p $(@D)
	@cp $< $@

TESTS += $(addprefix $(B)/tests/,$(UNIT_TESTS) $(UNIT_SCRIPTS))
