# Fuzz targets. Their corpora are replayed by `make check`; `make fuzz` looks for more.

FUZZ_SECONDS ?= 60
FUZZ_TARGETS := pod wire guest_plan passwd aci oci pgp image podview cni p9 p9_ops target
FUZZ ?= $(FUZZ_TARGETS)

FUZZ_pod        := $(PLAN) $(POD) $(WIRE) $(COMMON)
FUZZ_wire       := $(SESSION) stage1/common/wire.c $(COMMON)
FUZZ_guest_plan := $(WIRE) $(COMMON)
FUZZ_passwd     := init/passwd.c $(COMMON)
FUZZ_target     := tests/fuzz/tar.c init/target.c stage0/remove.c stage0/root.c $(COMMON)
FUZZ_aci        := tests/fuzz/tar.c $(UNPACK) $(COMMON)
FUZZ_oci        := tests/fuzz/tar.c $(OCI) $(UNPACK) $(POD) $(COMMON)
FUZZ_pgp        := stage0/pgp.c $(COMMON)
FUZZ_image      := $(LINE) $(POD) $(COMMON)
FUZZ_podview    := $(addprefix stage0/,podjson.c podmeta.c podread.c pods.c poddir.c root.c remove.c gojson.c when.c) \
	$(LINE) $(POD) $(COMMON)
FUZZ_cni        := $(CNI) stage1/net/remote.c stage1/common/guest_plan.c stage1/common/wire.c stage1/pod/jnode.c $(COMMON)
FUZZ_p9         := $(addprefix tests/p9/,client.c scratch.c) stage0/remove.c $(P9) $(COMMON)
FUZZ_p9_ops     := $(FUZZ_p9)

FUZZLIBS_pod    := $(JSON) $(SECCOMP)
FUZZLIBS_cni    := $(JSON)
FUZZLIBS_aci    := -larchive -lmd
FUZZLIBS_oci    := -larchive -lmd $(JSON)
FUZZLIBS_pgp    := -lmd
FUZZLIBS_image  := $(JSON)
FUZZLIBS_podview := $(JSON)

# The fuzzers' objects are clang's own, with coverage.
fuzzobj = $(patsubst %.c,$(B)/fuzz/obj/%.o,$(1))
FUZZ_CC := clang -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
$(B)/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC[fz]  $<"
	@$(FUZZ_CC) -fsanitize=fuzzer-no-link $(BASE) $(WARN) -MMD -MP -c $< -o $@

define fuzz_target
$(B)/fuzz/$(1): $(call fuzzobj,tests/fuzz/fuzz_$(1).c $(FUZZ_$(1)))
	@echo "  LD      $$@"
	@$(FUZZ_CC) -fsanitize=fuzzer -o $$@ $$^ $(FUZZLIBS_$(1))
$(B)/obj/tests/fuzz/replay_$(1).o: tests/fuzz/replay.c
	@mkdir -p $$(@D)
	@$$(CC_RULE) -DCORPUS='"tests/fuzz/corpus/$(1)"' -c $$< -o $$@
$(B)/tests/replay_$(1): $(B)/obj/tests/fuzz/replay_$(1).o $(call obj,tests/fuzz/fuzz_$(1).c $(FUZZ_$(1)))
	$$(call testlink,$(FUZZLIBS_$(1)))
endef
$(foreach t,$(FUZZ_TARGETS),$(eval $(call fuzz_target,$(t))))

TESTS += $(patsubst %,$(B)/tests/replay_%,$(FUZZ_TARGETS))

# New inputs go below $(B)/fuzz/found; what crashes is left there as NAME.crash-...
.PHONY: fuzz
fuzz: $(patsubst %,$(B)/fuzz/%,$(FUZZ)) ## fuzz each target for FUZZ_SECONDS (60); FUZZ="pod wire"
	@for t in $(FUZZ); do \
		mkdir -p $(B)/fuzz/found/$$t && \
		echo "  FUZZ    $$t, $(FUZZ_SECONDS) s" && \
		$(B)/fuzz/$$t -max_total_time=$(FUZZ_SECONDS) -timeout=20 -max_len=65536 -close_fd_mask=1 \
			-print_final_stats=1 -artifact_prefix=$(B)/fuzz/found/$$t.crash- \
			$(B)/fuzz/found/$$t tests/fuzz/corpus/$$t >$(B)/fuzz/$$t.log 2>&1 || \
			{ tail -n 40 $(B)/fuzz/$$t.log; exit 1; }; \
		grep -E 'stat::number_of_executed|^#.*DONE' $(B)/fuzz/$$t.log; \
	done
