/* stage0 run-prepared: runs what `prepare`, ours or rkt's, has left. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage0/cmds.h"
#include "stage0/entry.h"
#include "stage0/launch.h"
#include "stage0/mds.h"
#include "stage0/podread.h"
#include "stage0/runline.h"
#include "stage1/common/util.h"

/* All that can be wrong, as long as the pod is still prepared and can be run another time. */
static int check(const struct run_line *r, const struct known_pod *pod, struct err *e)
{
	struct stage1_image stage1 = STAGE1_IMAGE_INIT;
	struct pod_meta meta = POD_META_INIT;
	int ret = 0;

	if (pod->life != LIFE_PREPARED)
		return err_set(e, ERR_HOST, "pod \"%s\" is not prepared: it is %s", pod->dir.uuid,
			pod_life_name(pod->life));
	if (pod_read_meta(pod->dir.fd, &meta, e) < 0)
		return err_prefix(e, "pod %s", pod->dir.uuid);
	if (r->opts.interactive && meta.napps > 1)
		ret = err_set(e, ERR_USAGE, "--interactive: there must be one app only, pod %s has %zu", pod->dir.uuid,
			meta.napps);
	pod_meta_dispose(&meta);
	if (ret == 0 && r->mds_register && access(MDS_SOCKET, F_OK) < 0)
		ret = err_sys(e, "--mds-register: no metadata service runs here (" MDS_SOCKET ")");
	if (ret == 0 && (stage1_image_read(pod->dir.fd, &stage1, e) < 0 || launch_check(&stage1.image, e) < 0))
		ret = err_prefix(e, "pod %s", pod->dir.uuid);
	stage1_image_dispose(&stage1);
	return ret;
}

/* The users of rkt's --private-users, which have owned the files since they were unpacked; the caller's, or NULL. */
static int read_private_users(int pod, char **text_r, struct err *e)
{
	size_t len;

	*text_r = NULL;
	if (faccessat(pod, "private-users-prepared", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return pod_read_file(pod, "private-users-prepared", 64, text_r, &len, e);
}

/* Two at once: one has the lock, or the directory is not where it was. */
static int take(struct known_pod *pod, struct err *e)
{
	int ret = pods_lock(pod, e);

	if (ret < 0)
		return -1;
	if (ret == 0 || pod->life != LIFE_PREPARED)
		return err_set(e, ERR_HOST, "pod \"%s\" has been taken by another process", pod->dir.uuid);
	return pods_move(pod, PODS_RUN, e);
}

static int run_prepared(struct run_line *r, const char *uuid, struct err *e)
{
	struct launch launch = { .flags = &r->opts, .dns = &r->dns, .mds_socket = r->mds_register ? MDS_SOCKET : NULL };
	struct known_pod pod = KNOWN_POD_INIT;
	AUTO_FREE char *users = NULL;
	int ret = pods_find(r->dir, uuid, &pod, e);

	if (ret == 0 && (check(r, &pod, e) < 0 || read_private_users(pod.dir.fd, &users, e) < 0 || take(&pod, e) < 0))
		ret = -1;
	if (ret == 0) {
		r->opts.private_users = users;
		launch.mask = umask(0); /* modes are as given; directories inherit setgid */
		ret = pod_launch(&pod.dir, &launch, e);
	}
	known_pod_dispose(&pod);
	return ret;
}

static int check_words(const struct run_line *r, struct err *e)
{
	if (r->pod.napps == 0)
		return err_set(e, ERR_USAGE, "no pod given: a UUID, or its beginning");
	if (r->pod.napps > 1)
		return err_set(e, ERR_USAGE, "one pod only, '%s' is too much", r->pod.apps[1].image);
	if (r->pod.apps[0].args)
		return err_set(e, ERR_USAGE, "a prepared pod takes no arguments");
	if (geteuid() != 0)
		return err_set(e, ERR_HOST, "run-prepared: only root can run pods");
	return 0;
}

int cmd_run_prepared(int argc, char **argv)
{
	struct run_line line = RUN_LINE_INIT;
	struct err e = ERR_INIT;
	int ret = run_line_read(argc, argv, LINE_LAUNCH, &line, &e);

	if (ret == 0 && !line.help)
		ret = check_words(&line, &e) < 0 ? -1 : run_prepared(&line, line.pod.apps[0].image, &e);
	run_line_dispose(&line);
	return ret < 0 ? cmd_fail(&e) : 0;
}
