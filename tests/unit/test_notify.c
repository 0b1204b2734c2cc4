/* What the host's service manager hears of a pod. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "stage1/common/util.h"
#include "stage1/notify.h"

/* The manager: a socket at `path`, as NOTIFY_SOCKET names it. */
static int listen_at(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(addr.sun_path, path, strlen(path));
	if (*path == '@')
		addr.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&addr,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))), 0);
	return fd;
}

static void expect_text(int fd, const char *text)
{
	char got[200];
	ssize_t n = recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT);

	got[n > 0 ? n : 0] = '\0';
	assert_string_equal(got, text);
}

static void tells_the_manager(void **state)
{
	char file[100], abstract[100];
	const char *const paths[] = { file, abstract };

	(void)state;
	(void)snprintf(file, sizeof(file), "/tmp/stage1-xen-notify.%d", (int)getpid());
	(void)snprintf(abstract, sizeof(abstract), "@stage1-xen-notify.%d", (int)getpid());
	for (size_t i = 0; i < COUNT(paths); i++) {
		AUTO_CLOSE int fd = listen_at(paths[i]);
		struct err e = ERR_INIT;

		assert_int_equal(notify_manager(paths[i], true, &e), 0);
		assert_int_equal(notify_manager(paths[i], false, &e), 0);
		expect_text(fd, "READY=1\nSTATUS=The pod runs.");
		expect_text(fd, "STOPPING=1\nSTATUS=The pod ends.");
		expect_text(fd, "");
	}
	(void)unlink(file);
}

static void says_what_is_wrong(void **state)
{
	static const struct { const char *socket, *msg; } rows[] = {
		{ NULL, "" }, { "", "" },
		{ "here", "NOTIFY_SOCKET=here is not a socket's address" },
		{ "@", "NOTIFY_SOCKET=@ is not a socket's address" },
		{ "/none/there", "tell NOTIFY_SOCKET=/none/there of the pod: No such file or directory" },
		{ "@stage1-xen-nobody", "tell NOTIFY_SOCKET=@stage1-xen-nobody of the pod: Connection refused" },
	};
	char path[300];
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		e = (struct err)ERR_INIT;
		assert_int_equal(notify_manager(rows[i].socket, true, &e), *rows[i].msg ? -1 : 0);
		assert_string_equal(e.msg, rows[i].msg);
	}
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(notify_manager(path, true, &e), -1);
}

/* One who does not read does not hold the pod. */
static void does_not_wait(void **state)
{
	char path[100];
	int len = snprintf(path, sizeof(path), "@stage1-xen-slow.%d", (int)getpid());
	AUTO_CLOSE int fd = listen_at(path);
	struct err e = ERR_INIT;
	int sent = 0;

	(void)state;
	assert_true(len > 0);
	while (sent < 100000 && notify_manager(path, true, &e) == 0)
		sent++;
	assert_in_range(sent, 1, 99999);
	assert_non_null(strstr(e.msg, "Resource temporarily unavailable"));
	expect_text(fd, "READY=1\nSTATUS=The pod runs.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_the_manager),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(does_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
