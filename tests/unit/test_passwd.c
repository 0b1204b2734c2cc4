/* /etc/passwd and /etc/group as images have them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "init/passwd.h"
#include "stage1/common/util.h"
#include "tests/unit/no_openat2.h"

enum { UNTOUCHED = 4242, LONGEST = 8190 }; /* bytes of a line that still fits */

/* passwd_search() in a file of these bytes; *id tells whether it was written. */
static int search(const char *text, size_t len, enum passwd_kind kind, const char *name, uint32_t *id,
	struct err *e)
{
	AUTO_CLOSE int fd = memfd_create("passwd", MFD_CLOEXEC);

	assert_int_equal(write_all(fd, text, len), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	*id = UNTOUCHED;
	return passwd_search(fd, "/etc/passwd", kind, name, id, e);
}

static void searches_by_rkts_rules(void **state)
{
#define ROOT "root:x:0:0:root:/root:/bin/sh\n"
#define U(name, id) name ":x:" id ":0::/:\n"
	static const struct { const char *text; enum passwd_kind kind; int found; uint32_t id;
		const char *msg; } rows[] = {
		{ "", PASSWD_USER, 0, 0, "" },
		{ "\n\n", PASSWD_USER, 0, 0, "" },
		{ ROOT, PASSWD_USER, 0, 0, "" },
		{ ROOT U("www", "33"), PASSWD_USER, 1, 33, "" },
		{ U("www", "33") U("www", "34"), PASSWD_USER, 1, 33, "" },
		{ "www:x:33:0::/:", PASSWD_USER, 1, 33, "" }, /* no newline */
		{ "www:::::::", PASSWD_USER, -1, 0, "/etc/passwd: '' is not the number of a user" },
		{ "www:x:33:0::/:/bin/sh:more:and:more\n", PASSWD_USER, 1, 33, "" },
		{ U("wwwx", "1") U("ww", "2") U(" www", "3") U("WWW", "4"), PASSWD_USER, 0, 0, "" },
		{ "# comment\n\n#www:x:1:1::/:\n" U("www", "33"), PASSWD_USER, 1, 33, "" },
		{ " # no comment\n" U("www", "33"), PASSWD_USER, -1, 0,
			"/etc/passwd: a line with 1 fields, 7 are needed" },
		{ "short:x:1\n" U("www", "33"), PASSWD_USER, -1, 0,
			"/etc/passwd: a line with 3 fields, 7 are needed" },
		{ U("www", "33") "short:x:1\n", PASSWD_USER, 1, 33, "" }, /* found before it */
		{ "www:x:33:0::/\n", PASSWD_USER, -1, 0, "/etc/passwd: a line with 6 fields, 7 are needed" },
		{ "+\n", PASSWD_USER, -1, 0, "/etc/passwd: a line with 1 fields, 7 are needed" },
		{ U("www", "0"), PASSWD_USER, 1, 0, "" },
		{ U("www", "0033"), PASSWD_USER, 1, 33, "" },
		{ U("www", "4294967294"), PASSWD_USER, 1, 4294967294u, "" },
		{ U("www", "4294967295"), PASSWD_USER, -1, 0,
			"/etc/passwd: '4294967295' is not the number of a user" },
		{ U("www", "4294967296"), PASSWD_USER, -1, 0,
			"/etc/passwd: '4294967296' is not the number of a user" },
		{ U("www", "18446744073709551616"), PASSWD_USER, -1, 0,
			"/etc/passwd: '18446744073709551616' is not the number of a user" },
		{ U("www", "-1"), PASSWD_USER, -1, 0, "/etc/passwd: '-1' is not the number of a user" },
		{ U("www", " 1"), PASSWD_USER, -1, 0, "/etc/passwd: ' 1' is not the number of a user" },
		{ U("www", "1x"), PASSWD_USER, -1, 0, "/etc/passwd: '1x' is not the number of a user" },
		{ U("www", "\033[2J"), PASSWD_USER, -1, 0, "/etc/passwd: '?[2J' is not the number of a user" },
		{ U("other", "x") U("www", "33"), PASSWD_USER, 1, 33, "" }, /* only the own number is read */
		{ "www:x:5:a,b\n", PASSWD_GROUP, 1, 5, "" },
		{ "www:x:5:\n", PASSWD_GROUP, 1, 5, "" },
		{ "www:x:5\n", PASSWD_GROUP, -1, 0, "/etc/passwd: a line with 3 fields, 4 are needed" },
		{ "www:x::\n", PASSWD_GROUP, -1, 0, "/etc/passwd: '' is not the number of a group" },
		{ "a:x:1:www\n", PASSWD_GROUP, 0, 0, "" }, /* a member is no name */
		{ "www:x:33:0::/:\r\n", PASSWD_USER, 1, 33, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e = ERR_INIT;
		uint32_t id;
		int ret = search(rows[i].text, strlen(rows[i].text), rows[i].kind, "www", &id, &e);

		if (ret != rows[i].found)
			fail_msg("row %zu gives %d: %s", i, ret, e.msg);
		assert_string_equal(e.msg, rows[i].msg);
		assert_int_equal(id, ret > 0 ? rows[i].id : UNTOUCHED);
	}
}

static void a_nul_ends_its_line(void **state)
{
	static const char text[] = "a\0:x:1:1::/:\nwww:x:33:0::/:\n";
	static const char name[] = "www\0:x:1:1::/:\n";
	struct err e = ERR_INIT;
	uint32_t id;

	(void)state;
	assert_int_equal(search(text, sizeof(text) - 1, PASSWD_USER, "www", &id, &e), -1);
	assert_string_equal(e.msg, "/etc/passwd: a line with 1 fields, 7 are needed");
	e = (struct err)ERR_INIT;
	assert_int_equal(search(name, sizeof(name) - 1, PASSWD_USER, "www", &id, &e), -1);
}

/* The line of interest at each place around the borders of what is read at once. */
static void finds_a_name_at_every_border(void **state)
{
	static const char line[] = "www:x:33:0::/:\n";
	static char text[3 * 8192];

	(void)state;
	for (size_t border = 8191; border < sizeof(text) - 100; border += 8191)
		for (size_t at = border - sizeof(line) - 2; at < border + 3; at++) {
			struct err e = ERR_INIT;
			size_t len = 0;
			uint32_t id;

			while (len < at) { /* comments that fill the space before it exactly */
				size_t n = at - len < 100 ? at - len : 50;

				memset(text + len, '#', n - 1);
				text[len + n - 1] = '\n';
				len += n;
			}
			memcpy(text + at, line, sizeof(line) - 1);
			len = at + sizeof(line) - 1;
			assert_int_equal(search(text, len, PASSWD_USER, "www", &id, &e), 1);
			assert_int_equal(id, 33);
			assert_int_equal(search(text, len - 1, PASSWD_USER, "www", &id, &e), 1);
			memcpy(text + len, text, 200); /* more behind it */
			assert_int_equal(search(text, len + 200, PASSWD_USER, "www", &id, &e), 1);
			assert_int_equal(search(text, len, PASSWD_USER, "xxx", &id, &e), 0);
		}
}

static void bounds_a_line(void **state)
{
	static char text[3 * 8192];
	static const char after[] = "\nwww:x:33:0::/:\n";

	(void)state;
	for (size_t before = 0; before < 3; before++) {
		char *line = text + 20 * before;
		struct err e = ERR_INIT;
		uint32_t id;

		for (size_t i = 0; i < before; i++)
			memcpy(text + 20 * i, "ab:x:1:1::/home/ab:\n", 20);
		memset(line, '#', LONGEST);
		memcpy(line + LONGEST, after, sizeof(after));
		assert_int_equal(search(text, strlen(text), PASSWD_USER, "www", &id, &e), 1);
		assert_int_equal(search(text, 20 * before + LONGEST, PASSWD_USER, "www", &id, &e), 0);

		memset(line, '#', LONGEST + 2);
		memcpy(line + LONGEST + 2, after, sizeof(after));
		assert_int_equal(search(text, strlen(text), PASSWD_USER, "www", &id, &e), -1);
		assert_string_equal(e.msg, "/etc/passwd: a line over 8191 bytes");
		e = (struct err)ERR_INIT;
		assert_int_equal(search(text, 20 * before + LONGEST + 2, PASSWD_USER, "www", &id, &e), -1);
	}
}

static void looks_up_what_is_no_name(void **state)
{
	static const struct { const char *spec; uint32_t id; } rows[] = {
		{ "root", 0 }, { "0", 0 }, { "65534", 65534 }, { "4294967294", 4294967294u },
	};
	struct err e = ERR_INIT;
	uint32_t id;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (int kind = PASSWD_USER; kind <= PASSWD_GROUP; kind++) {
			assert_int_equal(passwd_lookup((enum passwd_kind)kind, rows[i].spec, &id, &e), 0);
			assert_int_equal(id, rows[i].id);
		}
	assert_int_equal(passwd_lookup(PASSWD_USER, "/proc/self/fd", &id, &e), 0);
	assert_int_equal(id, getuid());
	assert_int_equal(passwd_lookup(PASSWD_GROUP, "/nowhere/at all", &id, &e), -1);
	assert_string_equal(e.msg, "group by the owner of '/nowhere/at all': No such file or directory");
	e = (struct err)ERR_INIT;
	assert_int_equal(passwd_lookup(PASSWD_USER, "no such name", &id, &e), -1);
	assert_string_equal(e.msg, "\"no such name\" user not found");
	e = (struct err)ERR_INIT;
	assert_int_equal(passwd_lookup(PASSWD_GROUP, "4294967295", &id, &e), -1);
	assert_string_equal(e.msg, "\"4294967295\" group not found");
}

static int try_without(void *arg)
{
	struct err e = ERR_INIT;
	uint32_t id;

	(void)arg;
	if (passwd_lookup(PASSWD_USER, "www", &id, &e) == 0 ||
		strcmp(e.msg, "\"www\" user not found: /etc/passwd: Function not implemented") != 0)
		return 1;
	e = (struct err)ERR_INIT;
	if (passwd_lookup(PASSWD_GROUP, "/etc", &id, &e) == 0 ||
		strcmp(e.msg, "group by the owner of '/etc': Function not implemented") != 0)
		return 2;
	return passwd_lookup(PASSWD_USER, "7", &id, &e) == 0 && id == 7 ? 0 : 3; /* nothing is opened for it */
}

static void fails_closed_without_openat2(void **state)
{
	(void)state;
	assert_int_equal(without_openat2(try_without, NULL), 0);
}

/* The names an image's manifest may have for a user: what is in several lines is in none. */
static void a_name_of_several_lines_is_no_name(void **state)
{
	static const char text[] = ROOT "www:x:33:0::/:\nadm:x:4:0::/:\n";
	static const char *const names[] = { "www\nadm", "\nwww", "www\n", "www:x:33", "www:x:0:0::/:\nadm", ":", "" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct err e = ERR_INIT;
		uint32_t id;

		assert_int_equal(search(text, strlen(text), PASSWD_USER, names[i], &id, &e), 0);
	}
}

/* A passwd of a gigabyte costs the time to read it, not memory. */
static void reads_a_gigabyte_in_constant_memory(void **state)
{
	enum { LINE = 32, BLOCK = 64 << 10 };
	static char block[BLOCK];
	struct rusage before, after;
	struct err e = ERR_INIT;
	uint32_t id = 0;
	int fds[2], status;
	pid_t pid;

	(void)state;
	for (size_t at = 0; at < BLOCK; at += LINE)
		memcpy(block + at, "someone:x:1000:1000::/home/s:/b\n", LINE);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		(void)close(fds[0]);
		for (size_t sent = 0; sent < (size_t)1 << 30; sent += BLOCK)
			if (write_all(fds[1], block, BLOCK) < 0)
				_exit(1);
		_exit(write_all(fds[1], "last:x:9:9::/:\n", 15) < 0);
	}
	(void)close(fds[1]);
	assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
	assert_int_equal(passwd_search(fds[0], "/etc/passwd", PASSWD_USER, "last", &id, &e), 1);
	assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
	assert_int_equal(id, 9);
	assert_in_range(after.ru_maxrss - before.ru_maxrss, 0, 1024); /* KiB */
	(void)close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(searches_by_rkts_rules),
		cmocka_unit_test(a_nul_ends_its_line),
		cmocka_unit_test(finds_a_name_at_every_border),
		cmocka_unit_test(bounds_a_line),
		cmocka_unit_test(looks_up_what_is_no_name),
		cmocka_unit_test(fails_closed_without_openat2),
		cmocka_unit_test(a_name_of_several_lines_is_no_name),
		cmocka_unit_test(reads_a_gigabyte_in_constant_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
