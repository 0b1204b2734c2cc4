/* See entry.h. */
#include "stage0/entry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "stage0/podread.h"
#include "stage0/runargs.h"
#include "stage1/common/util.h"
#include "stage1/pod/pod.h"

int stage1_image_read(int pod, struct stage1_image *s_r, struct err *e)
{
	struct stage1_image s = STAGE1_IMAGE_INIT;
	size_t len;

	if (pod_read_file(pod, "stage1/manifest", POD_MANIFEST_MAX, &s.text, &len, e) < 0)
		return -1;
	if (image_parse(s.text, len, &s.image, e) < 0 ||
		interface_version(image_annotation(&s.image, "coreos.com/rkt/stage1/interface-version"),
			&s.version, e) < 0) {
		stage1_image_dispose(&s);
		return err_prefix(e, "stage1");
	}
	*s_r = s;
	return 0;
}

void stage1_image_dispose(struct stage1_image *s)
{
	image_dispose(&s->image);
	free(s->text);
	s->text = NULL;
}

int entry_path(const struct image *image, const char *name, const char **path_r, struct err *e)
{
	AUTO_FREE char *key = !strcmp(name, ENTRY_MACHINE) ? xstrdup(name) : xasprintf("coreos.com/rkt/stage1/%s", name);
	const char *path = image_annotation(image, key);
	AUTO_FREE char *slashed = NULL;

	if (!path)
		return 0;
	slashed = xasprintf("/%s/", path);
	if (!*path || strstr(slashed, "/../"))
		return err_set(e, ERR_INPUT, "annotation '%s': '%s' is no path in the image", key, path);
	*path_r = path + strspn(path, "/");
	return 1;
}

/* In the child. Returns only on failure, with errno. `out`: for its stdout, or -1. */
static void become(const struct entry_call *call, int out)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (call->quiet)
		out = null;
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || (out >= 0 && dup2(out, STDOUT_FILENO) < 0) ||
		fchdir(call->cwd) < 0)
		return;
	(void)execv(call->path, (char *const *)call->argv);
}

/* The errno of a child that could not become the program; 0 when it has. */
static int exec_errno(int fd)
{
	int error = 0;
	ssize_t n;

	do
		n = read(fd, &error, sizeof(error));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(error) ? error : 0;
}

static int start(const struct entry_call *call, int out, pid_t *pid_r, struct err *e)
{
	int ends[2], error;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0) {
		become(call, out);
		error = errno;
		_exit(write(ends[1], &error, sizeof(error)) < 0 ? 126 : 127);
	}
	(void)close(ends[1]);
	error = pid < 0 ? errno : exec_errno(ends[0]);
	(void)close(ends[0]);
	if (!error) {
		*pid_r = pid;
		return 1;
	}
	if (pid > 0)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	errno = error;
	return error == ENOENT ? 0 : err_sys(e, "start %s", call->path);
}

static int finish(const struct entry_call *call, pid_t pid, struct err *e)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		return err_set(e, ERR_HOST, "%s was killed by signal %d", call->path, WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return err_set(e, ERR_HOST, "%s ended with status %d", call->path, WEXITSTATUS(status));
	return 1;
}

int entry_run(const struct entry_call *call, struct err *e)
{
	AUTO_CLOSE int from = -1, to = -1;
	AUTO_FREE char *said = NULL;
	struct err unread = ERR_INIT;
	int ends[2], ret;
	size_t len;
	pid_t pid;

	if (call->said_r) {
		if (pipe2(ends, O_CLOEXEC) < 0)
			return err_sys(e, "make a pipe");
		from = ends[0];
		to = ends[1];
	}
	ret = start(call, to, &pid, e);
	if (to >= 0)
		(void)close(STEAL_FD(to));
	if (ret <= 0)
		return ret;
	if (from >= 0) {
		(void)read_file_fd(from, call->path, ENTRY_SAID_MAX, &said, &len, &unread);
		(void)close(STEAL_FD(from)); /* it is not to wait for us */
	}
	ret = finish(call, pid, e);
	if (unread.kind != ERR_NONE) { /* also the cause of its end, when it was still writing */
		*e = unread;
		return -1;
	}
	if (ret < 0)
		return -1;
	if (call->said_r)
		*call->said_r = STEAL(said);
	return 1;
}
