/* See volumes.h. */
#include "stage1/volumes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "stage1/common/util.h"

int volume_open(const struct volume_plan *v, struct err *e)
{
	int fd = open(v->source, O_PATH | O_CLOEXEC);

	return fd >= 0 ? fd : err_sys(e, "app '%s', volume '%s': Failed to stat %s", v->app, v->name, v->source);
}

int volumes_look(struct mounts_plan *plan, struct err *e)
{
	for (size_t i = 0; i < plan->nvolumes; i++) {
		struct volume_plan *v = &plan->volumes[i];
		AUTO_CLOSE int fd = -1;
		struct stat st;

		if (v->kind != POD_VOLUME_HOST)
			continue;
		fd = volume_open(v, e);
		if (fd < 0)
			return -1;
		if (fstat(fd, &st) < 0)
			return err_sys(e, "app '%s', volume '%s': Failed to stat %s", v->app, v->name, v->source);
		if (mounts_found(v, st.st_mode, major(st.st_rdev), minor(st.st_rdev), e) < 0)
			return -1;
	}
	return 0;
}
