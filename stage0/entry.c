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
	AUTO_FREE char *key = xasprintf("coreos.com/rkt/stage1/%s", name);
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

/* In the child. Returns only on failure, with errno. */
static void become(const struct entry_call *call)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || (call->quiet && dup2(null, STDOUT_FILENO) < 0) ||
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

int entry_run(const struct entry_call *call, struct err *e)
{
	int ends[2], status = 0, error;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0) {
		become(call);
		error = errno;
		_exit(write(ends[1], &error, sizeof(error)) < 0 ? 126 : 127);
	}
	(void)close(ends[1]);
	error = pid < 0 ? errno : exec_errno(ends[0]);
	(void)close(ends[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid > 0 && error == ENOENT)
		return 0;
	errno = error;
	if (error)
		return err_sys(e, "start %s", call->path);
	if (WIFSIGNALED(status))
		return err_set(e, ERR_HOST, "%s was killed by signal %d", call->path, WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return err_set(e, ERR_HOST, "%s ended with status %d", call->path, WEXITSTATUS(status));
	return 1;
}
