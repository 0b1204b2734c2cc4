/* See seccomp.h. */
#include "stage1/plan/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "stage1/common/util.h"

enum {
	CALLS = 451, /* numbers of calls of the guest's kernel, Linux 6.1; one series in all ABIs since 5.1 */
	ERRNO_MAX = 133,
	PROGRAM_MAX = 4096, /* BPF_MAXINSNS */
};

enum abi { ABI_64, ABI_32, ABIS };

static const struct {
	uint32_t token; /* libseccomp's, which is the kernel's AUDIT_ARCH_* */
	unsigned young; /* numbers from here on are younger than rkt's lists: behind copy_file_range */
} abis[ABIS] = {
	[ABI_64] = { SCMP_ARCH_X86_64, 327 },
	[ABI_32] = { SCMP_ARCH_X86, 378 },
};

/*
 * i386 calls that stand for many: one is judged by its parts unless it is named itself. libseccomp has
 * no numbers for the parts, which got their own late (asm/unistd_32.h), 0 where they have none.
 */
struct part {
	const char *name;
	unsigned nr;
};

static const struct part socket_parts[] = { { "socket", 359 }, { "socketpair", 360 }, { "bind", 361 },
	{ "connect", 362 }, { "listen", 363 }, { "accept4", 364 }, { "getsockopt", 365 }, { "setsockopt", 366 },
	{ "getsockname", 367 }, { "getpeername", 368 }, { "sendto", 369 }, { "sendmsg", 370 },
	{ "recvfrom", 371 }, { "recvmsg", 372 }, { "shutdown", 373 }, { "recvmmsg", 337 }, { "sendmmsg", 345 },
	{ "accept", 0 }, { "send", 0 }, { "recv", 0 } };
static const struct part ipc_parts[] = { { "semget", 393 }, { "semctl", 394 }, { "shmget", 395 },
	{ "shmctl", 396 }, { "shmat", 397 }, { "shmdt", 398 }, { "msgget", 399 }, { "msgsnd", 400 },
	{ "msgrcv", 401 }, { "msgctl", 402 }, { "semop", 0 }, { "semtimedop", 0 } };
static const struct {
	const char *name;
	const struct part *parts;
	size_t n;
} multiplexers[] = {
	{ "socketcall", socket_parts, COUNT(socket_parts) },
	{ "ipc", ipc_parts, COUNT(ipc_parts) },
};

struct calls {
	bool named[ABIS][CALLS];
	bool parts[COUNT(multiplexers)][COUNT(socket_parts)];
	size_t n; /* different calls of the 64-bit ABI */
};

static bool add_number(struct calls *c, enum abi abi, const char *name)
{
	int nr = seccomp_syscall_resolve_name_arch(abis[abi].token, name);

	if (nr >= 0 && nr < CALLS) {
		c->n += abi == ABI_64 && !c->named[abi][nr];
		c->named[abi][nr] = true;
	}
	return nr != __NR_SCMP_ERROR;
}

/* False when no ABI has a call of that name. */
static bool add_name(struct calls *c, const char *name)
{
	char wide_time[80];
	bool known = false;

	for (int abi = 0; abi < ABIS; abi++)
		known = add_number(c, (enum abi)abi, name) || known;
	/* what i386 got for times after 2038 is the same call */
	if (strlen(name) < 40) {
		(void)snprintf(wide_time, sizeof(wide_time), "%s_time64", name);
		(void)add_number(c, ABI_32, wide_time);
		(void)snprintf(wide_time, sizeof(wide_time), "%s64", name);
		if (!strncmp(name, "clock_", 6) || !strncmp(name, "timer", 5))
			(void)add_number(c, ABI_32, wide_time);
	}
	for (size_t m = 0; m < COUNT(multiplexers); m++)
		for (size_t i = 0; i < multiplexers[m].n; i++)
			if (!strcmp(name, multiplexers[m].parts[i].name)) {
				c->parts[m][i] = true;
				c->named[ABI_32][multiplexers[m].parts[i].nr] |= multiplexers[m].parts[i].nr > 0;
			}
	return known;
}

static void add_set(struct calls *c, const char *const *const *lists, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (const char *const *name = lists[i]; name && *name; name++)
			(void)add_name(c, *name);
}

static void add_set_named(struct calls *c, const char *name)
{
	size_t n;
	const char *const *const *lists = seccomp_set(name, &n);

	if (lists)
		add_set(c, lists, n);
}

/* Retained when all parts are, removed when one is: 32-bit programs of today call the parts. */
static void judge_multiplexers(struct calls *c, bool retain)
{
	for (size_t m = 0; m < COUNT(multiplexers); m++) {
		int nr = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, multiplexers[m].name);
		size_t n = 0;

		for (size_t i = 0; i < multiplexers[m].n; i++)
			n += c->parts[m][i];
		if (nr >= 0 && nr < CALLS && (retain ? n == multiplexers[m].n : n > 0))
			c->named[ABI_32][nr] = true;
	}
}

static int errno_number(const char *name)
{
	for (int n = 1; n <= ERRNO_MAX; n++) {
		const char *known = strerrorname_np(n);

		if (known && !strcmp(known, name))
			return n;
	}
	return !strcmp(name, "EWOULDBLOCK") ? EAGAIN : !strcmp(name, "EDEADLOCK") ? EDEADLK : -1;
}

/* A run of numbers with the same answer, up to the next one's first; the last has no end. */
struct range {
	unsigned first;
	uint32_t answer;
};

struct program {
	struct sock_filter code[PROGRAM_MAX];
	size_t n;
};

static void emit(struct program *p, uint16_t code, uint32_t k, size_t yes, size_t no)
{
	/* an ABI has at most CALLS + 1 runs of at most three instructions: all of it fits */
	p->code[p->n++] = (struct sock_filter){ .code = code, .k = k, .jt = (uint8_t)yes, .jf = (uint8_t)no };
}

static size_t tree_size(size_t n)
{
	size_t left = n > 1 ? tree_size(n / 2) : 0;

	return n == 1 ? 1 : (left > UINT8_MAX ? 2 : 1) + left + tree_size(n - n / 2);
}

/* A search tree over the runs; a comparison reaches 255 instructions, what is farther takes a jump. */
static void emit_tree(struct program *p, const struct range *r, size_t n)
{
	size_t half = n / 2, left = half ? tree_size(half) : 0;

	if (n == 1) {
		emit(p, BPF_RET | BPF_K, r->answer, 0, 0);
		return;
	}
	if (left > UINT8_MAX) {
		emit(p, BPF_JMP | BPF_JGE | BPF_K, r[half].first, 0, 1);
		emit(p, BPF_JMP | BPF_JA, (uint32_t)left, 0, 0);
	} else {
		emit(p, BPF_JMP | BPF_JGE | BPF_K, r[half].first, left, 0);
	}
	emit_tree(p, r, half);
	emit_tree(p, r + half, n - half);
}

static void emit_abi(struct program *p, const struct calls *c, enum abi abi, bool retain, uint32_t blocked)
{
	struct range ranges[CALLS + 1] = { { 0 } };
	size_t n = 0;

	for (unsigned nr = 0; nr <= CALLS; nr++) {
		uint32_t answer = SECCOMP_RET_ALLOW;

		if (nr == CALLS) /* and x32's, whose numbers have bit 30 set */
			answer = SECCOMP_RET_ERRNO | ENOSYS;
		else if (c->named[abi][nr] != retain)
			answer = retain && nr >= abis[abi].young ? SECCOMP_RET_ERRNO | ENOSYS : blocked;
		if (n == 0 || ranges[n - 1].answer != answer)
			ranges[n++] = (struct range){ nr, answer };
	}
	emit(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	emit_tree(p, ranges, n);
}

static void make_program(const struct calls *c, bool retain, uint32_t blocked, struct seccomp_filter *f)
{
	AUTO_FREE struct program *p = xcalloc(1, sizeof(*p));
	size_t at;

	emit(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	emit(p, BPF_JMP | BPF_JA, 0, 0, 0);
	at = p->n;
	emit_abi(p, c, ABI_64, retain, blocked);
	p->code[at - 1].k = (uint32_t)(p->n - at);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_I386, 1, 0);
	emit(p, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
	emit_abi(p, c, ABI_32, retain, blocked);
	f->len = p->n * sizeof(*p->code);
	f->program = xmalloc(f->len);
	memcpy(f->program, p->code, f->len);
}

/* Nothing is named, or the isolator says so: rkt's default, whatever else is there. */
static void set_default(struct calls *c, bool *retain)
{
	*c = (struct calls){ .n = 0 };
	*retain = true;
	add_set_named(c, SECCOMP_DEFAULT);
}

/* The isolator's names into *c. False: no filter at all is wanted. */
static bool read_set(const struct pod_app *app, const struct pod_isolator *iso, bool *retain, struct calls *c,
	struct plan_warnings *w)
{
	bool any = false;
	size_t n;

	*retain = !iso || !strcmp(iso->name, "os/linux/seccomp-retain-set");
	for (size_t i = 0; iso && i < iso->nset; i++) {
		const char *name = iso->set[i];
		const char *const *const *lists = seccomp_set(name, &n);

		if (!strcmp(name, "@appc.io/all") && *retain)
			return false;
		if (!strcmp(name, "@appc.io/all") || !strcmp(name, "@appc.io/empty")) {
			set_default(c, retain);
			return true;
		}
		any = any || lists || *name != '@';
		if (lists)
			add_set(c, lists, n);
		else if (*name == '@')
			plan_warn(w, "app '%s', isolator '%s': no set named '%s'", app->name, iso->name, name);
		else if (!add_name(c, name))
			plan_warn(w, "app '%s', isolator '%s': no system call named '%s'", app->name, iso->name, name);
	}
	if (!any)
		set_default(c, retain);
	return true;
}

int seccomp_plan(const struct pod_app *app, const struct pod_isolator *iso, struct seccomp_filter *filter_r,
	struct plan_warnings *w, struct err *e)
{
	struct seccomp_filter filter = { .program = NULL };
	AUTO_FREE struct calls *calls = xcalloc(1, sizeof(*calls));
	uint32_t blocked = SECCOMP_RET_KILL_PROCESS;
	const char *errno_name = iso && iso->errno_name && *iso->errno_name ? iso->errno_name : NULL;
	bool retain;

	if (errno_name) {
		int number = errno_number(errno_name);

		if (number < 0)
			return err_set(e, ERR_INPUT, "app '%s', isolator '%s': errno '%s' is not known",
				app->name, iso->name, errno_name);
		blocked = SECCOMP_RET_ERRNO | (uint32_t)number;
	}
	if (!read_set(app, iso, &retain, calls, w)) {
		*filter_r = filter;
		return 0;
	}
	if (retain)
		add_set_named(calls, SECCOMP_ALWAYS);
	judge_multiplexers(calls, retain);
	make_program(calls, retain, blocked, &filter);
	filter.summary = xasprintf("%s %zu calls, else %s", retain ? "retain" : "remove", calls->n,
		errno_name ? errno_name : "SIGSYS");
	*filter_r = filter;
	return 0;
}
