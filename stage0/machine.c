/* See machine.h. */
#include "stage0/machine.h"

#include "stage0/entry.h"
#include "stage1/common/util.h"

int machine_call(const struct known_pod *pod, const char *verb, char **said_r, struct err *e)
{
	AUTO_FREE char *dir = poddir_path(&pod->dir), *path = NULL;
	struct stage1_image s = STAGE1_IMAGE_INIT;
	const char *entry;
	int ret;

	if (stage1_image_read(pod->dir.fd, &s, e) < 0)
		return -1;
	ret = entry_path(&s.image, ENTRY_MACHINE, &entry, e);
	if (ret == 0)
		ret = err_set(e, ERR_INPUT, "its stage1 knows no '%s'", verb);
	if (ret > 0) {
		path = xasprintf("%s/stage1/rootfs/%s", dir, entry);
		const char *const argv[] = { path, verb, pod->dir.uuid, NULL };

		ret = entry_run(&(struct entry_call){ .path = path, .argv = argv, .cwd = pod->dir.fd,
			.said_r = said_r }, e);
	}
	stage1_image_dispose(&s);
	if (ret == 0)
		return err_set(e, ERR_HOST, "start %s: there is no such file", path);
	return ret < 0 ? -1 : 0;
}
