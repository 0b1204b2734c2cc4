/*
 * See app_files.h. Each time a child walks through the mount namespaces: setns(2) is not for a process that has
 * threads, and libxenstore makes one.
 */
#include "stage1/app_files.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "stage1/common/util.h"
#include "stage1/export_internal.h"
#include "stage1/idmap.h"
#include "stage1/volumes.h"

/* What the child tells, in memory that it shares with us. */
struct report {
	struct err e, warning;
	bool root_made;
	struct {
		bool made;
		mode_t mode;
		unsigned dev_major, dev_minor;
	} volume[];
};

static int enter(int ns, const char *whose, struct err *e)
{
	return setns(ns, CLONE_NEWNS) < 0 ? err_sys(e, "enter the mount namespace of %s", whose) : 0;
}

/* Of the base, in our own namespace: the backend's copy stays read-only. */
static int set_writable(const char *s1root, bool writable, struct err *e)
{
	AUTO_FREE char *base = xasprintf("%s/" PLAN_EXPORT_DIR, s1root);
	unsigned long flags = MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | MS_NOEXEC;

	if (mount(NULL, base, NULL, flags | (writable ? 0 : MS_RDONLY), NULL) < 0)
		return err_sys(e, "remount %s", base);
	return 0;
}

/* As the backend has it: see confine_root(). NULL: it is no place of an export. */
static char *place_of(const char *entry)
{
	static const char *const exports[] = { PLAN_EXPORT_POD, PLAN_EXPORT_VOLUMES };

	for (size_t i = 0; i < COUNT(exports); i++)
		if (str_has_prefix(entry, exports[i]))
			return xasprintf("/%zu%s", i, entry + strlen(exports[i]));
	return NULL;
}

struct child {
	const struct app_files *f;
	struct report *report;
	int root; /* trees, not mounted yet */
	int *volumes;
};

static int clone_empties(struct child *c, struct err *e)
{
	const struct export_manner how = { .idmap = -1 };
	bool unmapped;

	for (size_t i = 0; i < c->f->mounts->nvolumes; i++) {
		const struct volume_plan *v = &c->f->mounts->volumes[i];
		AUTO_CLOSE int fd = -1;

		if (v->kind != POD_VOLUME_EMPTY)
			continue;
		fd = export_open_empty(v, e);
		if (fd < 0)
			return -1;
		c->volumes[i] = export_clone(fd, &how, &unmapped);
		if (c->volumes[i] < 0)
			return err_sys(e, "app '%s', volume '%s': export it", v->app, v->name);
	}
	return 0;
}

static int clone_host_volume(struct child *c, size_t i, struct err *e)
{
	const struct volume_plan *v = &c->f->mounts->volumes[i];
	const struct export_manner how = { .recursive = v->recursive, .read_only = v->read_only, .idmap = -1 };
	AUTO_CLOSE int fd = volume_open(v, e);
	bool unmapped;
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return err_sys(e, "app '%s', volume '%s': Failed to stat %s", v->app, v->name, v->source);
	c->report->volume[i].mode = st.st_mode;
	c->report->volume[i].dev_major = major(st.st_rdev);
	c->report->volume[i].dev_minor = minor(st.st_rdev);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		return 0; /* the guest's own, or none: mounts_found() */
	c->volumes[i] = export_clone(fd, &how, &unmapped);
	return c->volumes[i] < 0 ? err_sys(e, "app '%s', volume '%s': export %s", v->app, v->name, v->source) : 0;
}

/* Where the caller has them. */
static int clone_rest(struct child *c, struct err *e)
{
	struct export_manner how = { .idmap = -1 };
	AUTO_CLOSE int idmap = c->f->shift->count > 0 ? idmap_open(c->f->shift, e) : -1;
	AUTO_CLOSE int fd = -1;
	bool unmapped = false;

	if (c->f->shift->count > 0 && idmap < 0)
		return -1;
	if (enter(c->f->caller, "who asks", e) < 0)
		return -1;
	fd = export_open_root(c->f->app, c->f->s1root, e);
	if (fd < 0)
		return -1;
	how.idmap = idmap;
	c->root = export_clone(fd, &how, &unmapped);
	if (c->root < 0)
		return err_sys(e, "app '%s': export its root file system", c->f->app->name);
	if (unmapped)
		export_warn_unmapped(c->f->app, &c->report->warning);
	for (size_t i = 0; i < c->f->mounts->nvolumes; i++)
		if (c->f->mounts->volumes[i].kind == POD_VOLUME_HOST && clone_host_volume(c, i, e) < 0)
			return -1;
	return 0;
}

static int make_targets(struct child *c, struct err *e)
{
	AUTO_FREE char *root = xasprintf("%s/%s", c->f->s1root, c->f->entry);

	if (mkdir(root, 0755) < 0)
		return err_sys(e, "make %s", root);
	c->report->root_made = true;
	for (size_t i = 0; i < c->f->mounts->nvolumes; i++) {
		const struct volume_plan *v = &c->f->mounts->volumes[i];
		AUTO_FREE char *target = xasprintf("%s/%s", c->f->s1root, v->entry);

		if (c->volumes[i] < 0)
			continue;
		if (export_make_target(c->volumes[i], target) == 0)
			c->report->volume[i].made = true;
		else if (v->kind != POD_VOLUME_EMPTY || errno != EEXIST)
			return err_sys(e, "make %s", target);
	}
	return 0;
}

static int place(int tree, const char *entry, struct err *e)
{
	AUTO_FREE char *to = place_of(entry);

	if (!to || move_mount(tree, "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "export %s", entry);
	return 0;
}

static int add_in_child(struct child *c, struct err *e)
{
	AUTO_CLOSE int own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	int ret;

	if (own < 0)
		return err_sys(e, "open our mount namespace");
	(void)umask(0);
	if (clone_empties(c, e) < 0 || clone_rest(c, e) < 0 || enter(own, "the supervisor", e) < 0 ||
		set_writable(c->f->s1root, true, e) < 0)
		return -1;
	ret = make_targets(c, e);
	if (set_writable(c->f->s1root, false, e) < 0 || ret < 0 || enter(c->f->backend, "the 9p backend", e) < 0)
		return -1;
	if (place(c->root, c->f->entry, e) < 0)
		return -1;
	for (size_t i = 0; i < c->f->mounts->nvolumes; i++)
		if (c->report->volume[i].made && place(c->volumes[i], c->f->mounts->volumes[i].entry, e) < 0)
			return -1;
	return 0;
}

/* 0 when the child ended so. */
static int wait_for(pid_t pid, struct err *e)
{
	int status;
	pid_t got;

	do
		got = waitpid(pid, &status, 0);
	while (got < 0 && errno == EINTR);
	if (got < 0 || !WIFEXITED(status))
		return err_set(e, ERR_SYSTEM, "the process that changes the exports was killed");
	return WEXITSTATUS(status) == 0 ? 0 : -1;
}

static int remove_in_child(int backend, const char *s1root, char *const *entries, size_t n, struct err *e)
{
	AUTO_CLOSE int own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

	if (own < 0)
		return err_sys(e, "open our mount namespace");
	if (enter(backend, "the 9p backend", e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		AUTO_FREE char *place = place_of(entries[i]);

		if (place)
			(void)umount2(place, MNT_DETACH); /* of what was not mounted: nothing */
	}
	if (enter(own, "the supervisor", e) < 0 || set_writable(s1root, true, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		AUTO_FREE char *target = xasprintf("%s/%s", s1root, entries[i]);

		if (rmdir(target) < 0 && errno == ENOTDIR)
			(void)unlink(target);
	}
	return set_writable(s1root, false, e);
}

static struct report *new_report(size_t volumes, size_t *size_r)
{
	struct report *r;

	*size_r = sizeof(*r) + volumes * sizeof(r->volume[0]);
	r = mmap(NULL, *size_r, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return r == MAP_FAILED ? NULL : r;
}

int app_files_remove(int backend, const char *s1root, char *const *entries, size_t n, struct err *e)
{
	size_t size;
	struct report *r = new_report(0, &size);
	pid_t pid = r ? fork() : -1;
	int ret;

	if (pid == 0)
		_exit(remove_in_child(backend, s1root, entries, n, &r->e) < 0);
	ret = pid < 0 ? err_sys(e, "change the exports") : wait_for(pid, e);
	if (ret < 0 && r && r->e.kind != ERR_NONE)
		*e = r->e;
	if (r)
		(void)munmap(r, size);
	return ret;
}

static void undo(const struct app_files *f, const struct report *r)
{
	char **made = xcalloc(f->mounts->nvolumes + 1, sizeof(*made));
	struct err ignored = ERR_INIT;
	size_t n = 0;

	if (r->root_made)
		made[n++] = (char *)f->entry;
	for (size_t i = 0; i < f->mounts->nvolumes; i++)
		if (r->volume[i].made)
			made[n++] = f->mounts->volumes[i].entry;
	if (n > 0)
		(void)app_files_remove(f->backend, f->s1root, made, n, &ignored);
	free(made);
}

/* A device is the guest's own, or an error: last, for its place is then forgotten. */
static int find_devices(const struct app_files *f, const struct report *r, struct err *e)
{
	for (size_t i = 0; i < f->mounts->nvolumes; i++) {
		struct volume_plan *v = &f->mounts->volumes[i];

		if (v->kind == POD_VOLUME_HOST && mounts_found(v, r->volume[i].mode, r->volume[i].dev_major,
				r->volume[i].dev_minor, e) < 0)
			return -1;
	}
	return 0;
}

int app_files_add(const struct app_files *f, struct err *warning, struct err *e)
{
	size_t size, n = f->mounts->nvolumes;
	struct report *r = new_report(n, &size);
	int *volumes = xmalloc((n + 1) * sizeof(*volumes)), ret;
	struct child child = { .f = f, .report = r, .root = -1, .volumes = volumes };
	pid_t pid;

	for (size_t i = 0; i < n; i++)
		volumes[i] = -1;
	pid = r ? fork() : -1;
	if (pid == 0)
		_exit(add_in_child(&child, &r->e) < 0);
	ret = pid < 0 ? err_sys(e, "change the exports") : wait_for(pid, e);
	if (ret < 0 && r && r->e.kind != ERR_NONE)
		*e = r->e;
	if (ret == 0)
		ret = find_devices(f, r, e);
	if (ret < 0 && r)
		undo(f, r);
	if (ret == 0 && r->warning.kind != ERR_NONE)
		*warning = r->warning;
	if (r)
		(void)munmap(r, size);
	free(volumes);
	return ret;
}
