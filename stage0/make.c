/* See make.h. */
#include "stage0/make.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage0/cmds.h"
#include "stage0/launch.h"
#include "stage0/mds.h"
#include "stage0/prepare.h"
#include "stage0/podcli.h"
#include "stage0/runline.h"
#include "stage0/verify.h"
#include "stage1/common/util.h"

/* Runs the pod, or leaves it prepared: on the disk, and nobody's any more. */
static int hand_over(const struct run_line *r, int which, mode_t mask, struct poddir *pod, struct err *e)
{
	struct launch launch = { .flags = &r->opts, .dns = &r->dns, .mask = mask,
		.mds_socket = r->mds_register ? MDS_SOCKET : NULL };

	if (which & LINE_LAUNCH)
		return poddir_move(pod, "run", e) < 0 ? -1 : pod_launch(pod, &launch, e);
	if (syncfs(pod->fd) < 0)
		return err_sys(e, "sync %s", pod->data);
	if (poddir_move(pod, "prepared", e) < 0)
		return -1;
	(void)printf("%s\n", pod->uuid);
	return 0;
}

/* What is there and no regular file, as /dev/stdout, is written to and stays, as with rkt. */
static int save_uuid(const char *path, const char *uuid, bool *made_r, struct err *e)
{
	AUTO_CLOSE int fd = -1;
	struct stat st;

	*made_r = lstat(path, &st) < 0 || S_ISREG(st.st_mode);
	if (*made_r)
		return write_file_atomic(AT_FDCWD, path, uuid, strlen(uuid), 0644, e);
	fd = open(path, O_WRONLY | O_TRUNC | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || write_all(fd, uuid, strlen(uuid)) < 0)
		return err_sys(e, "write %s", path);
	return 0;
}

/* *saved_r: a file with the UUID was made. */
static int make_pod(const struct run_line *r, int which, struct source *stage1, struct content *content,
	struct poddir *pod, bool *saved_r, struct err *e)
{
	const struct trust trust = { .all = r->opts.no_signatures, .system = r->system_config,
		.local = r->opts.local_config };
	mode_t mask;

	if (verify_all(content, stage1, &trust, e) < 0)
		return -1;
	if (launch_check(&stage1->image, e) < 0 || (r->opts.mutable_pod && launch_check_mutable(&stage1->image, e) < 0))
		return err_prefix(e, "image %s", stage1->path);
	mask = umask(0); /* modes are as given; directories inherit setgid */
	if (poddir_create(r->dir, pod, e) < 0)
		return -1;
	if (r->uuid_file && save_uuid(r->uuid_file, pod->uuid, saved_r, e) < 0)
		return -1;
	if (pod_prepare(pod, stage1, content, !r->no_overlay, e) < 0)
		return -1;
	return hand_over(r, which, mask, pod, e);
}

int pod_make(const struct run_line *r, int which, struct err *e)
{
	struct source stage1 = SOURCE_INIT;
	struct content content = CONTENT_INIT;
	struct poddir pod = PODDIR_INIT;
	struct err undo = ERR_INIT;
	bool kept = !r->opts.no_signatures, saved = false;
	int ret = -1;

	if (geteuid() != 0)
		return err_set(e, ERR_HOST, which & LINE_LAUNCH ? "run: only root can run pods" :
			"prepare: only root can make pods");
	if (r->mds_register && access(MDS_SOCKET, F_OK) < 0)
		return err_sys(e, "--mds-register: no metadata service runs here (" MDS_SOCKET ")");
	if (r->private_users)
		(void)fputs("stage0: warning: --private-users: a pod is a virtual machine, whose users are "
			"none of this host's in any case; owners of files stay as they are\n", stderr);
	if (source_open(r->stage1_path, kept, &stage1, e) == 0 &&
		content_open(&r->pod, r->pod_manifest, kept, &content, e) == 0)
		ret = make_pod(r, which, &stage1, &content, &pod, &saved, e);
	source_dispose(&stage1);
	content_dispose(&content);
	if (ret < 0 && saved)
		(void)unlink(r->uuid_file);
	if (ret < 0 && poddir_discard(&pod, &undo) < 0)
		(void)fprintf(stderr, "stage0: warning: %s\n", undo.msg);
	poddir_dispose(&pod);
	return ret;
}

