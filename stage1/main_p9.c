/*
 * The pod's 9pfs backend: serves the exports to the pod's domain, and nothing else.
 *
 *	p9 EXPORT...
 *
 * Device 0 is the first EXPORT, an absolute path, and so on. The domain's number comes as a line on
 * stdin, once there is a domain; the end of stdin before that is our end. Started by stage1/xen as the
 * first process of namespaces of its own, before the domain is built. It ends when the domain is gone,
 * and by nothing else: whoever started it may be killed, and the guest still writes its files out.
 *
 * Two processes: the watcher talks to xenstored, of the guest it sees numbers; the server has the
 * guest's rings and the files, and nothing that reaches beyond them. They end together.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage1/common/util.h"
#include "stage1/p9/confine.h"
#include "stage1/p9/device.h"
#include "stage1/p9/status.h"

static struct serve rings;

static int read_domid(uint32_t *domid_r, struct err *e)
{
	char line[16] = "";
	size_t len = 0;

	while (len < sizeof(line) - 1 && read(STDIN_FILENO, line + len, 1) == 1 && line[len] != '\n')
		len++;
	if (line[len] != '\n')
		return -1; /* whoever started us has given up, and said why */
	line[len] = '\0';
	if (sscanf(line, "%10u", domid_r) != 1)
		return err_set(e, ERR_USAGE, "'%s' is not the number of a domain", line);
	return 0;
}

static void quiet(int null)
{
	/* What we were started with is not kept open beyond the life of who started us. */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		(void)dup2(null, fd);
}

static int open_servers(const int *roots, struct err *e)
{
	struct p9_limits limits = P9_LIMITS_DEFAULT;

	limits.nodes_open /= rings.n;
	limits.files_open /= rings.n;
	for (unsigned i = 0; i < rings.n; i++) {
		rings.dev[i].server = server_open(roots[i], &limits);
		if (!rings.dev[i].server)
			return err_sys(e, "serve export %u", i);
	}
	return 0;
}

static int be_server(struct xs_handle *xs, int peer, int proc, int null, struct err *e)
{
	AUTO_CLOSE int fds = -1;
	int ret;

	xs_daemon_destroy_postfork(xs);
	fds = openat(proc, "self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	(void)close(proc);
	ret = fds < 0 ? -errno : server_enter(fds);
	if (ret < 0) {
		errno = -ret;
		return err_sys(e, "enter our own /proc");
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (confine_capabilities(CONFINE_SERVER, e) < 0)
		return -1;
	quiet(null);
	if (confine_calls(CONFINE_SERVER, e) < 0)
		return -1;
	return serve(&rings, peer, e);
}

static int be_watcher(struct xs_handle *xs, unsigned n, int peer, int null, struct err *e)
{
	uint32_t domid;

	serve_forget(&rings);
	if (confine_capabilities(CONFINE_WATCHER, e) < 0 || confine_calls(CONFINE_WATCHER, e) < 0 ||
		read_domid(&domid, e) < 0 || devices_offer(xs, domid, n, e) < 0)
		return -1;
	quiet(null);
	return devices_follow(xs, domid, n, peer, e);
}

static int run(int argc, char **argv, struct err *e)
{
	unsigned n = (unsigned)argc - 1;
	int roots[DEVICES_MAX], pair[2], proc, null, status;
	struct xs_handle *xs;
	pid_t pid;

	if (argc < 2 || n > DEVICES_MAX)
		return err_set(e, ERR_USAGE, "usage: p9 EXPORT...");
	(void)mallopt(M_ARENA_MAX, 1);
	(void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
	if (confine_begin(e) < 0)
		return -1;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, null < 0 ? "open /dev/null" : "make a socket");
	xs = xs_open(0);
	if (!xs)
		return err_sys(e, "cannot talk to xenstored");
	if (serve_open(&rings, n, e) < 0 || confine_root(argv + 1, n, roots, &proc, e) < 0 ||
		open_servers(roots, e) < 0)
		return -1;
	pid = fork();
	if (pid < 0)
		return err_sys(e, "start the server");
	(void)close(pair[pid == 0 ? 0 : 1]);
	if (pid == 0)
		return be_server(xs, pair[1], proc, null, e);
	(void)close(proc);
	if (be_watcher(xs, n, pair[0], null, e) == 0)
		return 0; /* the server ends with us: we are the first process of its namespace */
	(void)close(pair[0]); /* which ends the server, if it has not ended */
	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == P9_STATUS_BROKEN)
		exit(P9_STATUS_BROKEN);
	return -1;
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;

	if (run(argc, argv, &e) == 0)
		return 0;
	if (*e.msg)
		fprintf(stderr, "stage1 p9: %s\n", e.msg);
	return P9_STATUS_FAILED;
}
