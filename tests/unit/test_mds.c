/* Registration with a metadata service, which a child of ours plays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "stage0/mds.h"
#include "stage1/common/util.h"

#define UUID "6733c0b5-5f2c-4a4b-8a4c-2f3f4b1f9c01"
#define POD "{\"acVersion\":\"1.30.0\",\"acKind\":\"PodManifest\",\"apps\":[{\"name\":\"a\",\"image\":{}}," \
	"{\"name\":\"b\",\"image\":{}}]}"

/* One request up to the end of its body, a blank instead of each line's end. */
static void log_request(int fd, FILE *log)
{
	char text[2048] = "";
	size_t len = 0, want = sizeof(text) - 1;

	while (len < want) {
		ssize_t n = read(fd, text + len, sizeof(text) - 1 - len);
		char *body, *length;

		if (n <= 0)
			break;
		len += (size_t)n;
		text[len] = '\0';
		body = strstr(text, "\r\n\r\n");
		length = strstr(text, "Content-Length: ");
		if (body && length)
			want = (size_t)(body + 4 - text) + strtoul(length + 16, NULL, 10);
	}
	for (char *p = text; *p; p++)
		*p = strchr("\r\n", *p) ? ' ' : *p;
	(void)fprintf(log, "%s\n", text);
	if (access("mds-registered", F_OK) < 0) /* who is killed now is known for ever */
		(void)fprintf(log, "not noted\n");
}

/* Answers each connection with the next of `answers`, up to NULL; "" hangs up. */
static pid_t serve(const char *const *answers)
{
	const struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = "sock" };
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	(void)unlink("sock");
	assert_int_equal(bind(s, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(s, 8), 0);
	pid = fork();
	if (pid) {
		(void)close(s);
		return pid;
	}
	FILE *log = fopen("log", "we");

	for (; log && *answers; answers++) {
		int fd = accept(s, NULL, NULL);

		log_request(fd, log);
		if (**answers)
			(void)!write(fd, *answers, strlen(*answers));
		(void)close(fd);
	}
	(void)fflush(log);
	_exit(0);
}

/* The log with the token, which is random, replaced. */
static void check_log(pid_t server, const char *token, const char *want)
{
	struct err e = ERR_INIT;
	AUTO_FREE char *log = NULL;
	size_t len;

	assert_int_equal(waitpid(server, NULL, 0), server);
	assert_int_equal(read_file_at(AT_FDCWD, "log", 65536, &log, &len, &e), 0);
	if (token)
		(void)memset(strstr(log, token), 'T', MDS_TOKEN_LEN);
	assert_string_equal(log, want);
}

static void write_text(const char *path, const char *text)
{
	struct err e = ERR_INIT;

	assert_int_equal(write_file_atomic(AT_FDCWD, path, text, strlen(text), 0600, &e), 0);
}

static struct poddir here(void)
{
	struct poddir pod = { .fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), .uuid = UUID };

	assert_true(pod.fd >= 0);
	return pod;
}

#define OK "HTTP/1.1 200 OK\r\n\r\n"
#define UNKNOWN "HTTP/1.1 404 Not Found\r\n\r\n"
#define PUT_POD "PUT /pods/" UUID "?token=TTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTT HTTP/1.1  Host: unixsock  " \
	"Content-Length: 102  Connection: close    " POD "\n"
#define PUT_APP(a, len, doc) "PUT /pods/" UUID "/" a " HTTP/1.1  Host: unixsock  Content-Length: " len \
	"  Connection: close    " doc "\n"
#define DELETE "DELETE /pods/" UUID " HTTP/1.1  Host: unixsock  Content-Length: 0  Connection: close    \n"

static void registers_the_pod_and_its_apps(void **state)
{
	static const char *const yes[] = { OK, OK, "HTTP/1.0 200 fine\n", NULL }, *const once[] = { OK, NULL };
	struct poddir pod = here();
	char token[MDS_TOKEN_LEN + 1];
	struct err e = ERR_INIT;
	pid_t server = serve(yes);

	(void)state;
	assert_int_equal(mds_register(&pod, "sock", token, &e), 0);
	assert_int_equal(strspn(token, "0123456789abcdef"), MDS_TOKEN_LEN);
	check_log(server, token, PUT_POD PUT_APP("a", "5", "{\"a\"}") PUT_APP("b", "7", "{\"bbb\"}"));
	assert_int_equal(access("mds-registered", F_OK), 0);

	server = serve(once);
	assert_int_equal(mds_unregister(pod.fd, UUID, "sock", &e), 0);
	check_log(server, NULL, DELETE);
	assert_int_equal(access("mds-registered", F_OK), -1);
	assert_int_equal(mds_unregister(pod.fd, UUID, "no socket", &e), 0); /* no news */
	(void)close(pod.fd);
}

static void takes_back_what_it_began(void **state)
{
	static const struct { const char *answers[6]; const char *msg; const char *log; } rows[] = {
		{ { "HTTP/1.1 403 Forbidden\r\n\r\n", UNKNOWN }, "HTTP/1.1 403 Forbidden", PUT_POD DELETE },
		{ { "", OK }, "", PUT_POD DELETE }, /* it may have understood */
		{ { "SSH-2.0 200\n", UNKNOWN }, "SSH-2.0 200", PUT_POD DELETE },
		{ { OK, OK, "HTTP/1.1 500 No\r\n\r\n", OK }, "HTTP/1.1 500 No",
			PUT_POD PUT_APP("a", "5", "{\"a\"}") PUT_APP("b", "7", "{\"bbb\"}") DELETE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct poddir pod = here();
		char token[MDS_TOKEN_LEN + 1];
		struct err e = ERR_INIT;
		pid_t server = serve(rows[i].answers);
		AUTO_FREE char *want = NULL;

		assert_int_equal(mds_register(&pod, "sock", token, &e), -1);
		want = i < 3 ? xasprintf("--mds-register: PUT /pods/" UUID "?token=%s: the metadata service "
			"answers '%s'", token, rows[i].msg) : xasprintf("--mds-register: PUT /pods/" UUID
			"/b: the metadata service answers '%s'", rows[i].msg);
		assert_string_equal(e.msg, want);
		check_log(server, token, rows[i].log);
		assert_int_equal(access("mds-registered", F_OK), -1);
		(void)close(pod.fd);
	}
}

static void says_that_nobody_is_there(void **state)
{
	struct poddir pod = here();
	char token[MDS_TOKEN_LEN + 1];
	struct err e = ERR_INIT;

	(void)state;
	(void)unlink("sock");
	assert_int_equal(mds_register(&pod, "sock", token, &e), -1);
	assert_string_equal(e.msg, "--mds-register: the metadata service cannot be reached at sock: "
		"No such file or directory");
	assert_int_equal(access("mds-registered", F_OK), -1);
	(void)close(pod.fd);
}

static int own_directory(void **state)
{
	static char dir[] = "/tmp/test_mds.XXXXXX";

	*state = dir;
	if (!mkdtemp(dir) || chdir(dir) < 0 || mkdir("appsinfo", 0700) < 0 || mkdir("appsinfo/a", 0700) < 0 ||
		mkdir("appsinfo/b", 0700) < 0)
		return -1;
	write_text("pod", POD);
	write_text("appsinfo/a/manifest", "{\"a\"}");
	write_text("appsinfo/b/manifest", "{\"bbb\"}");
	return 0;
}

static int remove_directory(void **state)
{
	static const char *const files[] = { "pod", "appsinfo/a/manifest", "appsinfo/b/manifest", "log", "sock" };

	for (size_t i = 0; i < COUNT(files); i++)
		(void)unlink(files[i]);
	return rmdir("appsinfo/a") | rmdir("appsinfo/b") | rmdir("appsinfo") | rmdir(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_the_pod_and_its_apps),
		cmocka_unit_test(takes_back_what_it_began),
		cmocka_unit_test(says_that_nobody_is_there),
	};

	return cmocka_run_group_tests(tests, own_directory, remove_directory);
}
