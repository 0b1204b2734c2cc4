# What gcc compiles, clang reads: seconds, as nothing is generated.

$(B)/clang.flags: Makefile tests/clang.mk
	@mkdir -p $(@D)
	@printf '%s\n' $(BASE) $(WARN) >$@
$(B)/tests/clang: tests/clang.sh | $(B)/clang.flags
	@mkdir -p $(@D)
	@cp $< $@

TESTS += $(B)/tests/clang
