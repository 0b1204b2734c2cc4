/*
 * Operations of the 9p server in any order, on few fids and few names, so that they meet: a file is
 * opened, renamed, unlinked and found again in all sequences. Each byte or two of the input is a step.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/p9/scratch.h"

static const uint8_t *in;
static size_t left;

static uint32_t next(uint32_t bound)
{
	if (left == 0)
		return 0;
	left--;
	return *in++ % bound;
}

static const char *name(void)
{
	static const char *const names[] = { "file", "dir", "inner", "out", "victim", "up", "root", "a", "b", "..", ".",
		"", "x/y", "c" };

	return names[next(sizeof(names) / sizeof(names[0]))];
}

static uint32_t fid(void)
{
	return next(8);
}

static void one(struct client *c)
{
	static const uint32_t flags[] = { 0, 1, 2, 01002, 02001, 0100, 0300, 0102, 010002, 0200000 };
	static const uint32_t types[] = { 0100644, 010600, 0140755, 020666, 040755, 0104755, 0 };
	static const char *const attrs[] = { "user.a", "user.b", "system.posix_acl_access", "security.capability",
		"trusted.x", "" };
	uint32_t a = fid(), b;
	const char *s;

	switch (next(24)) {
	case 0: case 1: case 2: (void)client_call(c, P9_TWALK, "ddws", a, fid(), 1, name()); break;
	case 3: (void)client_call(c, P9_TWALK, "ddw", a, fid(), 0); break;
	case 4: b = fid(); s = name(); (void)client_call(c, P9_TWALK, "ddwss", a, b, 2, s, name()); break;
	case 5: case 6: (void)client_call(c, P9_TCLUNK, "d", a ? a : 7); break;
	case 7: case 8: (void)client_call(c, P9_TLOPEN, "dd", a, flags[next(10)]); break;
	case 9: s = name(); (void)client_call(c, P9_TLCREATE, "dsddd", a, s, flags[next(10)], 0644u, 0u); break;
	case 10: (void)client_call(c, P9_TWRITE, "dqD", a, (uint64_t)next(20), (size_t)next(20), "twenty bytes of text."); break;
	case 11: b = next(20); (void)client_call(c, P9_TREAD, "dqd", a, (uint64_t)b, next(100)); break;
	case 12: b = next(20); (void)client_call(c, P9_TREADDIR, "dqd", a, (uint64_t)b, 100 + next(200)); break;
	case 13: (void)client_call(c, P9_TGETATTR, "dq", a, ~(uint64_t)0); break;
	case 14:
		b = next(0x100) | next(2) << 8;
		(void)client_call(c, P9_TSETATTR, "dddddqqqqq", a, b, 0700 + next(64), next(3), next(3), (uint64_t)next(64),
			(uint64_t)1, (uint64_t)2, (uint64_t)3, (uint64_t)4);
		break;
	case 15: (void)client_call(c, P9_TMKDIR, "dsdd", a, name(), 0755u, 0u); break;
	case 16: s = name(); (void)client_call(c, P9_TMKNOD, "dsdddd", a, s, types[next(7)], 1u, 3u, 0u); break;
	case 17: s = name(); (void)client_call(c, P9_TSYMLINK, "dssd", a, s, next(2) ? "../outside/victim" : "/", 0u); break;
	case 18: b = fid(); (void)client_call(c, P9_TLINK, "dds", a, b, name()); break;
	case 19: case 20:
		s = name(); b = fid(); (void)client_call(c, P9_TRENAMEAT, "dsds", a, s, b, name()); break;
	case 21: s = name(); (void)client_call(c, P9_TUNLINKAT, "dsd", a, s, next(2) ? 0x200u : 0u); break;
	case 22: b = fid(); (void)client_call(c, P9_TXATTRWALK, "dds", a, b, attrs[next(6)]); break;
	case 23: s = attrs[next(6)]; (void)client_call(c, P9_TXATTRCREATE, "dsqd", a, s, (uint64_t)next(20), next(4)); break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct client *c = scratch_begin();

	in = data;
	left = size;
	for (int i = 0; i < 300 && left > 0; i++)
		one(c);
	scratch_check();
	scratch_end();
	return 0;
}
