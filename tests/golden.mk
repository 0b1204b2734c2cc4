# Goldens: pods and flags in tests/golden, the plans and libxl's configuration that come of them.

GOLDEN := tests/golden/golden.c stage1/xen/domcfg.c $(PRINT) $(PLAN) $(POD) $(WIRE) $(COMMON)

# the program's own libxl_cpu_bitmap_alloc takes the place of libxl's
$(B)/tests/golden: $(call obj,$(GOLDEN)); $(call testlink,$(JSON) $(SECCOMP) -lxenlight)

TESTS += $(B)/tests/golden

.PHONY: golden-update
golden-update: $(B)/tests/golden ## write tests/golden/*.golden anew
	@$(B)/tests/golden --update
	@git --no-pager diff --stat -- tests/golden 2>/dev/null || true
