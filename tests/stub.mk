# `run` without Xen: its program, a stage1/xen that fails (fake_ops) or the real one on libraries that do.

STUB := $(addprefix tests/stub/,stub.c run_main.c world.c guest.c fake_ops.c fake_libxl.c fake_net.c) \
	$(filter-out stage1/main_run.c $(HOST) $(NET),$(PROG_init)) $(XEN) stage1/pidnote.c

# the program's own functions take the place of the libraries' that would ask Xen
$(B)/tests/stub: $(call obj,$(STUB)); $(call testlink,$(JSON) $(SECCOMP) $(XENLIBS))

TESTS += $(B)/tests/stub
