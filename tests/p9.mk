# The 9p backend's own tests (tests/unit/test_p9_*), which unit.mk builds.

UNIT_test_p9_proto   := stage1/p9/proto.c $(COMMON)
UNIT_test_p9_server  := tests/p9/client.c stage1/p9/filter.c $(P9) $(COMMON)
UNIT_test_p9_ring    := stage1/p9/ring.c stage1/p9/proto.c $(COMMON)
