# Networks with real devices, in namespaces of their own: what needs no Xen of them.

NET_ROOMS := tests/net/rooms.c $(NETLINK) stage1/common/guest_plan.c stage1/common/wire.c $(COMMON)

$(B)/tests/takeover: $(call obj,tests/net/takeover.c stage1/net/takeover.c init/net.c $(NET_ROOMS)); $(call testlink,-lcmocka)
$(B)/tests/join: $(call obj,tests/net/join.c stage1/net/join.c $(NET_ROOMS)); $(call testlink,-lcmocka)

# the networks of a pod by Debian's plugins, without the pod
$(B)/tests/podnet: $(call obj,tests/net/podnet.c $(NET) $(POD) stage1/common/guest_plan.c stage1/common/wire.c $(COMMON)); $(call testlink,$(JSON))
$(B)/tests/net: tests/net/net.sh | $(B)/tests/podnet
	@mkdir -p $(@D)
	@cp $< $@

TESTS += $(B)/tests/takeover $(B)/tests/join $(B)/tests/net
