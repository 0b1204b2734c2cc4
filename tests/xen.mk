# What the tests on real Xen need: an app image, busybox below a small root.
APP := $(B)/tests/app.aci
APPLETS := sh awk cat dd df echo env false free grep head hostname id kill ls mkfifo mount nproc ps pwd \
	sed sha256sum sleep sort stat sync tail true uname wc yes
BUSYBOX ?= $(shell command -v busybox)

$(B)/tests/random:
	@mkdir -p $(@D)
	@openssl enc -aes-128-ctr -nosalt -pass pass:stage1-xen -in /dev/zero 2>/dev/null | head -c 10485760 >$@ || true
	@test "$$(stat -c %s $@)" = 10485760

$(APP): $(wildcard tests/xen/app/*) $(B)/tests/random $(B)/pack tests/xen.mk
	@echo "  PACK    $@"
	@$(B)/pack --format=aci $@ manifest=tests/xen/app/manifest rootfs/bin/busybox=$(BUSYBOX):0755 \
		$(foreach a,$(APPLETS),'rootfs/bin/$(a)->busybox') rootfs/etc/passwd=tests/xen/app/passwd \
		rootfs/etc/group=tests/xen/app/group rootfs/tmp/:1777 rootfs/root/:0700 \
		rootfs/random=$(B)/tests/random

# The cases run in one boot: tests/xen/suite [PATTERN]
.PHONY: check-xen
check-xen: $(ACI) $(B)/stage0/stage0 $(APP) ## only the tests on real Xen; CASES=pattern
	@BUILD=$(B) tests/xen/suite '$(or $(CASES),*)'
