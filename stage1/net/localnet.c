/* See localnet.h. */
#include "stage1/net/localnet.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "stage1/common/util.h"

static int make_dirs(struct err *e)
{
	static const char *const dirs[] = { "/run/stage1-xen", LOCALNET_DIR };

	for (size_t i = 0; i < COUNT(dirs); i++)
		if (mkdir(dirs[i], 0755) < 0 && errno != EEXIST)
			return err_sys(e, "make %s", dirs[i]);
	return 0;
}

/* Locked until it is closed. ENOENT without an error: nobody has made it. */
static int open_dir(int *fd_r, struct err *e)
{
	AUTO_CLOSE int fd = open(LOCALNET_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if ((fd < 0 && errno != ENOENT) || (fd >= 0 && flock(fd, LOCK_EX) < 0))
		return err_sys(e, "lock %s", LOCALNET_DIR);
	*fd_r = STEAL_FD(fd);
	return 0;
}

/* False: no such pod. */
static bool device_of(int dir, const char *uuid, char device_r[IF_NAMESIZE])
{
	ssize_t n = readlinkat(dir, uuid, device_r, IF_NAMESIZE - 1);

	device_r[n < 0 ? 0 : n] = '\0';
	return n > 0;
}

static int count_users(int dir, const char *device, size_t *n_r, struct err *e)
{
	DIR *reader = dir_read(dir);
	const struct dirent *entry;
	char its[IF_NAMESIZE];
	size_t n = 0;

	if (!reader)
		return err_sys(e, "read %s", LOCALNET_DIR);
	while ((entry = readdir(reader)) != NULL)
		n += device_of(dir, entry->d_name, its) && !strcmp(its, device);
	(void)closedir(reader);
	*n_r = n;
	return 0;
}

static char *sysctl_path(const char *device)
{
	return xasprintf("/proc/sys/net/ipv4/conf/%s/route_localnet", device);
}

static int is_set(const char *device, bool *set_r, struct err *e)
{
	AUTO_FREE char *path = sysctl_path(device);
	AUTO_FREE char *text = NULL;
	size_t len;

	if (read_file_at(AT_FDCWD, path, 16, &text, &len, e) < 0)
		return -1;
	*set_r = *text != '0';
	return 0;
}

static int set(const char *device, const char *value, struct err *e)
{
	AUTO_FREE char *path = sysctl_path(device);
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && *value == '0')
		return 0; /* it went with its device */
	return fd < 0 || write_all(fd, value, 1) < 0 ? err_sys(e, "set %s", path) : 0;
}

static int unset(int dir, const char *uuid, struct err *e)
{
	char device[IF_NAMESIZE];
	size_t users;

	if (!device_of(dir, uuid, device))
		return 0;
	if (count_users(dir, device, &users, e) < 0 || (users == 1 && set(device, "0", e) < 0))
		return -1;
	return unlinkat(dir, uuid, 0) < 0 ? err_sys(e, "remove %s/%s", LOCALNET_DIR, uuid) : 0;
}

int localnet_set(const char *uuid, const char *device, struct err *e)
{
	AUTO_CLOSE int dir = -1;
	size_t users;
	bool already;

	if (make_dirs(e) < 0 || open_dir(&dir, e) < 0 || unset(dir, uuid, e) < 0 ||
		count_users(dir, device, &users, e) < 0 || is_set(device, &already, e) < 0)
		return -1;
	if (already && users == 0)
		return 0;
	if (symlinkat(device, dir, uuid) < 0)
		return err_sys(e, "make %s/%s", LOCALNET_DIR, uuid);
	return set(device, "1", e);
}

int localnet_unset(const char *uuid, struct err *e)
{
	AUTO_CLOSE int dir = -1;

	if (open_dir(&dir, e) < 0)
		return -1;
	return dir < 0 ? 0 : unset(dir, uuid, e);
}
