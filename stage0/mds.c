/* See mds.h. */
#include "stage0/mds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include "stage1/common/util.h"
#include "stage1/pod/pod.h"

#define MARK "mds-registered"

enum { SILENCE_S = 10, ANSWER_MAX = 1024, MANIFEST_MAX = 4 << 20 };

static int connect_to(const char *path, int *fd_r, struct err *e)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval silence = { .tv_sec = SILENCE_S };
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(addr.sun_path))
		return err_set(e, ERR_USAGE, "%s: longer than a socket's path can be", path);
	(void)memcpy(addr.sun_path, path, strlen(path) + 1);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof(silence)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &silence, sizeof(silence)) < 0)
		return err_sys(e, "make a socket");
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_sys(e, "the metadata service cannot be reached at %s", path);
	*fd_r = STEAL_FD(fd);
	return 0;
}

/* MSG_NOSIGNAL: a service that hangs up is an error, not our end. */
static int send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return -1;
		data += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* What is to be forgotten may be unknown: rkt's service answers so. */
static bool is_fine(const char *answer, const char *method)
{
	const char *status = answer + strcspn(answer, " ");

	return str_has_prefix(answer, "HTTP/1.") &&
		(str_has_prefix(status, " 200") || (!strcmp(method, "DELETE") && str_has_prefix(status, " 404")));
}

/* Only the first line counts: "HTTP/1.1 200 OK". */
static int read_status(int fd, const char *method, struct err *e)
{
	char answer[ANSWER_MAX + 1] = "";
	size_t len = 0;

	while (len < ANSWER_MAX && !memchr(answer, '\n', len)) {
		ssize_t n = recv(fd, answer + len, ANSWER_MAX - len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? err_set(e, ERR_HOST, "no answer in %d s", SILENCE_S) :
				err_sys(e, "read the answer");
		if (n == 0)
			break;
		len += (size_t)n;
	}
	answer[len] = '\0';
	answer[strcspn(answer, "\r\n")] = '\0';
	if (!is_fine(answer, method))
		return err_set(e, ERR_HOST, "the metadata service answers '%s'", answer);
	return 0;
}

static int ask(int fd, const char *method, const char *path, const char *body, size_t len, struct err *e)
{
	AUTO_FREE char *head = xasprintf("%s %s HTTP/1.1\r\nHost: unixsock\r\nContent-Length: %zu\r\n"
		"Connection: close\r\n\r\n", method, path, len);
	bool sent = send_all(fd, head, strlen(head)) == 0 && send_all(fd, body, len) == 0;

	if (!sent && errno != EPIPE) /* it may have answered before it hung up */
		return err_sys(e, "%s %s", method, path);
	return read_status(fd, method, e) < 0 ? err_prefix(e, "%s %s", method, path) : 0;
}

static int request(const char *socket, const char *method, const char *path, const char *body, size_t len,
	struct err *e)
{
	AUTO_CLOSE int fd = -1;

	return connect_to(socket, &fd, e) < 0 ? -1 : ask(fd, method, path, body, len, e);
}

static int make_token(char token_r[MDS_TOKEN_LEN + 1], struct err *e)
{
	unsigned char bytes[MDS_TOKEN_LEN / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return err_sys(e, "get random bytes for a token");
	for (size_t i = 0; i < sizeof(bytes); i++)
		(void)sprintf(token_r + 2 * i, "%02x", bytes[i]);
	return 0;
}

static int register_app(const struct poddir *pod, const char *name, const char *socket, struct err *e)
{
	AUTO_FREE char *file = xasprintf("appsinfo/%s/manifest", name);
	AUTO_FREE char *path = xasprintf("/pods/%s/%s", pod->uuid, name);
	AUTO_FREE char *text = NULL;
	size_t len;

	if (read_file_at(pod->fd, file, MANIFEST_MAX, &text, &len, e) < 0)
		return -1;
	return request(socket, "PUT", path, text, len, e);
}

static int register_pod(const struct poddir *dir, const char *socket, const char *token, struct err *e)
{
	AUTO_FREE char *path = xasprintf("/pods/%s?token=%s", dir->uuid, token);
	AUTO_FREE char *text = NULL;
	AUTO_CLOSE int fd = -1;
	struct pod pod = POD_INIT;
	size_t len;
	int ret;

	if (read_file_at(dir->fd, "pod", POD_MANIFEST_MAX, &text, &len, e) < 0 ||
		pod_parse(text, len, &pod, e) < 0)
		return -1;
	ret = connect_to(socket, &fd, e);
	if (ret == 0) /* before anybody knows the pod: we may be killed at any moment */
		ret = write_file_atomic(dir->fd, MARK, "", 0, 0640, e);
	if (ret == 0)
		ret = ask(fd, "PUT", path, text, len, e);
	for (size_t i = 0; ret == 0 && i < pod.napps; i++)
		ret = register_app(dir, pod.apps[i].name, socket, e);
	pod_dispose(&pod);
	return ret;
}

int mds_register(const struct poddir *pod, const char *socket, char token_r[MDS_TOKEN_LEN + 1],
	struct err *e)
{
	struct err undo = ERR_INIT;

	if (make_token(token_r, e) == 0 && register_pod(pod, socket, token_r, e) == 0)
		return 0;
	(void)mds_unregister(pod->fd, pod->uuid, socket, &undo);
	return err_prefix(e, "--mds-register");
}

int mds_unregister(int dir, const char *uuid, const char *socket, struct err *e)
{
	AUTO_FREE char *path = xasprintf("/pods/%s", uuid);

	if (faccessat(dir, MARK, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, MARK);
	if (request(socket, "DELETE", path, "", 0, e) < 0)
		return err_prefix(e, "the metadata service still knows pod %s", uuid);
	(void)unlinkat(dir, MARK, 0);
	return 0;
}
