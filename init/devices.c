/* See devices.h. A program for BPF_PROG_TYPE_CGROUP_DEVICE (linux/bpf.h), one comparison a row. */
#include "init/devices.h"

#include <linux/bpf.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stage1/common/util.h"

enum { ANY = -1 };

/* Character devices; Documentation/admin-guide/devices.txt of Linux. */
static const struct {
	int major_, minor_;
} allowed[] = {
	{ 1, 3 },     /* null */
	{ 1, 5 },     /* zero */
	{ 1, 7 },     /* full */
	{ 1, 8 },     /* random */
	{ 1, 9 },     /* urandom */
	{ 5, 0 },     /* tty */
	{ 5, 2 },     /* ptmx */
	{ 136, ANY }, /* pts */
	{ 10, 200 },  /* net/tun */
};

enum { R_RESULT = BPF_REG_0, R_CTX = BPF_REG_1, R_ACCESS = BPF_REG_2, R_MAJOR = BPF_REG_3, R_MINOR = BPF_REG_4,
	R_TYPE = BPF_REG_5 };

#define LOAD(reg, field) \
	{ .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = (reg), .src_reg = R_CTX, \
		.off = offsetof(struct bpf_cgroup_dev_ctx, field) }
#define COPY(to, from) { .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (to), .src_reg = (from) }
#define DO(op, reg, value) { .code = BPF_ALU64 | (op) | BPF_K, .dst_reg = (reg), .imm = (value) }
#define SKIP_UNLESS(op, reg, value, n) \
	{ .code = BPF_JMP | (op) | BPF_K, .dst_reg = (reg), .off = (n), .imm = (value) }
#define ANSWER(value) DO(BPF_MOV, R_RESULT, value), { .code = BPF_JMP | BPF_EXIT }

static const struct bpf_insn head[] = {
	LOAD(R_ACCESS, access_type),
	LOAD(R_MAJOR, major),
	LOAD(R_MINOR, minor),
	COPY(R_TYPE, R_ACCESS),
	DO(BPF_AND, R_TYPE, 0xffff),
	DO(BPF_RSH, R_ACCESS, 16),
	SKIP_UNLESS(BPF_JNE, R_ACCESS, BPF_DEVCG_ACC_MKNOD, 2),
	ANSWER(1),
	SKIP_UNLESS(BPF_JEQ, R_TYPE, BPF_DEVCG_DEV_CHAR, 2),
	ANSWER(0),
};

static size_t make_program(struct bpf_insn *code)
{
	static const struct bpf_insn yes[] = { ANSWER(1) }, no[] = { ANSWER(0) };
	struct bpf_insn *at = code;

	memcpy(at, head, sizeof(head));
	at += COUNT(head);
	for (size_t i = 0; i < COUNT(allowed); i++) {
		bool any = allowed[i].minor_ == ANY;

		*at++ = (struct bpf_insn)SKIP_UNLESS(BPF_JNE, R_MAJOR, allowed[i].major_, any ? 2 : 3);
		if (!any)
			*at++ = (struct bpf_insn)SKIP_UNLESS(BPF_JNE, R_MINOR, allowed[i].minor_, 2);
		memcpy(at, yes, sizeof(yes));
		at += COUNT(yes);
	}
	memcpy(at, no, sizeof(no));
	return (size_t)(at - code) + COUNT(no);
}

static long bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

int devices_restrict(int cgroup, struct err *e)
{
	struct bpf_insn code[COUNT(head) + 4 * COUNT(allowed) + 2];
	union bpf_attr load, attach;
	AUTO_CLOSE int prog = -1;

	memset(&load, 0, sizeof(load));
	load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	load.insn_cnt = (uint32_t)make_program(code);
	load.insns = (uintptr_t)code;
	load.license = (uintptr_t)"";
	prog = (int)bpf(BPF_PROG_LOAD, &load);
	if (prog < 0)
		return err_sys(e, "load the device policy");
	memset(&attach, 0, sizeof(attach));
	attach.target_fd = (uint32_t)cgroup;
	attach.attach_bpf_fd = (uint32_t)prog;
	attach.attach_type = BPF_CGROUP_DEVICE;
	if (bpf(BPF_PROG_ATTACH, &attach) < 0)
		return err_sys(e, "put the device policy in place");
	return 0;
}
