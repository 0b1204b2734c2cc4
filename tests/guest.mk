# The guest's PID 1 in namespaces of its own, with busybox for an image and a test for dom0.

GUEST_TEST := $(addprefix tests/guest/,guest.c dom0.c vm.c cgroup.c) $(filter-out init/cgroup.c init/devices.c,$(GUEST)) $(NETLINK) $(PLAN) $(POD) $(WIRE) $(COMMON)

$(B)/tests/guest: $(call obj,$(GUEST_TEST)); $(call testlink,-lcmocka $(JSON) $(SECCOMP))

# programs of an app, so as static as busybox
$(B)/tests/guest-escape $(B)/tests/guest-notify $(B)/tests/guest-sockecho: $(B)/tests/guest-%: $(B)/plain/tests/guest/%.o
	@mkdir -p $(@D)
	@$(CC) -static -s -o $@ $^
$(B)/tests/guest: | $(B)/tests/guest-escape $(B)/tests/guest-notify $(B)/tests/guest-sockecho

TESTS += $(B)/tests/guest
