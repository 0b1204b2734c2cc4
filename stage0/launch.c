/* See launch.h. */
#include "stage0/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "stage0/entry.h"
#include "stage0/layers.h"
#include "stage0/mds.h"
#include "stage0/root.h"
#include "stage1/common/util.h"

enum { HOSTS_MAX = 64 << 10 };

int launch_check(const struct image *stage1, struct err *e)
{
	const char *path;
	int version, ret = entry_path(stage1, "run", &path, e);

	if (ret == 0)
		return err_set(e, ERR_INPUT, "no annotation 'coreos.com/rkt/stage1/run': not a stage1");
	return ret < 0 ? -1 : interface_version(image_annotation(stage1, "coreos.com/rkt/stage1/interface-version"),
		&version, e);
}

int launch_check_mutable(const struct image *stage1, struct err *e)
{
	static const char *const needed[] = { "app/rm", "app/start", "app/stop" }; /* rkt looks for these */
	const char *path;

	for (size_t i = 0; i < COUNT(needed); i++) {
		int ret = entry_path(stage1, needed[i], &path, e);

		if (ret <= 0)
			return ret < 0 ? -1 : err_set(e, ERR_INPUT, "no annotation 'coreos.com/rkt/stage1/%s': this stage1 cannot run "
				"mutable pods", needed[i]);
	}
	return 0;
}

/* As rkt's stage0 does when there is no hosts-fallback. */
static char *hosts_head(int etc)
{
	struct err ignored = ERR_INIT;
	char *text;
	size_t len;

	if (read_file_at(etc, "hosts-fallback", HOSTS_MAX, &text, &len, &ignored) == 0)
		return text;
	return xstrdup("#created by rkt stage0\n127.0.0.1 localhost localhost.localdomain\n");
}

static int write_dns(const struct poddir *pod, const struct dns_plan *dns, struct err *e)
{
	AUTO_CLOSE int root = -1;
	AUTO_CLOSE int etc = -1;
	AUTO_FREE char *head = NULL;
	AUTO_FREE char *hosts = NULL;

	if (!dns->resolv && !dns->hosts)
		return 0;
	root = openat(pod->fd, "stage1/rootfs", O_PATH | O_DIRECTORY | O_CLOEXEC);
	etc = root < 0 ? -1 : root_mkdirs(root, "etc", 0755);
	if (etc < 0)
		return err_sys(e, "stage1's directory etc");
	if (dns->resolv && write_file_atomic(etc, "rkt-resolv.conf", dns->resolv, strlen(dns->resolv), 0644, e) < 0)
		return -1;
	if (!dns->hosts)
		return 0;
	head = hosts_head(etc);
	hosts = xasprintf("%s%s", head, dns->hosts);
	return write_file_atomic(etc, "rkt-hosts", hosts, strlen(hosts), 0644, e);
}

static int set_environment(int lock, struct err *e)
{
	char number[16];

	(void)snprintf(number, sizeof(number), "%d", lock);
	if (setenv("RKT_LOCK_FD", number, 1) < 0 || setenv("RKT_SELINUX_CONTEXT", "", 1) < 0 ||
		setenv("RKT_SELINUX_MOUNT_CONTEXT", "", 1) < 0)
		return err_sys(e, "set the environment");
	return 0;
}

/* The working directory is ours again after a failure: the pod's may have to go. */
static int become(const struct poddir *pod, const char *dir, char **argv, mode_t mask, struct err *e)
{
	AUTO_CLOSE int home = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	mode_t ours;
	int saved;

	if (set_environment(pod->fd, e) < 0)
		return -1;
	if (chdir(dir) < 0)
		return err_sys(e, "change to %s", dir);
	ours = umask(mask);
	if (fcntl(pod->fd, F_SETFD, 0) == 0)
		(void)execv(argv[0], argv);
	saved = errno;
	(void)umask(ours);
	if (home < 0 || fchdir(home) < 0)
		(void)!chdir("/");
	errno = saved;
	return err_sys(e, "start %s", argv[0]);
}

static int launch_stage1(struct poddir *pod, const struct run_flags *flags, const struct stage1_image *stage1,
	mode_t mask, struct err *e)
{
	AUTO_FREE char *dir = poddir_path(pod);
	AUTO_FREE char *path = NULL;
	const char *entry;
	struct run_args args;
	int ret;

	if (launch_check(&stage1->image, e) < 0 || entry_path(&stage1->image, "run", &entry, e) < 0)
		return err_prefix(e, "stage1");
	path = xasprintf("%s/stage1/rootfs/%s", dir, entry);
	run_args_make(path, flags, stage1->version, pod->uuid, &args);
	for (size_t i = 0; i < args.ndropped; i++)
		(void)fprintf(stderr, "stage0: warning: this stage1 does not know %s\n", args.dropped[i]);
	ret = become(pod, dir, args.argv, mask, e);
	run_args_dispose(&args);
	return ret;
}

/* What was registered is taken back when stage1 does not start. */
static int launch_registered(struct poddir *pod, const struct launch *launch, const struct stage1_image *stage1,
	struct err *e)
{
	struct run_flags flags = *launch->flags;
	char token[MDS_TOKEN_LEN + 1];
	struct err undo = ERR_INIT;

	if (!launch->mds_socket)
		return launch_stage1(pod, &flags, stage1, launch->mask, e);
	if (mds_register(pod, launch->mds_socket, token, e) < 0)
		return -1;
	flags.mds_token = token;
	(void)launch_stage1(pod, &flags, stage1, launch->mask, e);
	if (mds_unregister(pod->fd, pod->uuid, launch->mds_socket, &undo) < 0)
		(void)fprintf(stderr, "stage0: warning: %s\n", undo.msg);
	return -1;
}

int pod_launch(struct poddir *pod, const struct launch *launch, struct err *e)
{
	struct stage1_image stage1 = STAGE1_IMAGE_INIT;
	struct err undo = ERR_INIT;

	if (layers_mount(pod, e) < 0)
		return -1;
	if (write_dns(pod, launch->dns, e) == 0 && stage1_image_read(pod->fd, &stage1, e) == 0)
		(void)launch_registered(pod, launch, &stage1, e);
	stage1_image_dispose(&stage1);
	if (layers_unmount(pod, &undo) < 0)
		(void)fprintf(stderr, "stage0: warning: %s\n", undo.msg);
	return -1;
}
