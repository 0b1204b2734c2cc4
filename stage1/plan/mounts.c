/* See mounts.h. */
#include "stage1/plan/mounts.h"

#include <string.h>
#include <sys/stat.h>

#include "stage1/common/util.h"
#include "stage1/plan/plan.h"

char *path_clean(const char *path)
{
	char *clean = xmalloc(strlen(path) + 2), *end = clean;

	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == 2 && !strncmp(path, "..", 2)) {
			while (end > clean && *--end != '/')
				;
		} else if (len > 0 && !(len == 1 && *path == '.')) {
			*end++ = '/';
			memcpy(end, path, len);
			end += len;
		}
		path += len + (path[len] == '/');
	}
	if (end == clean)
		*end++ = '/';
	*end = '\0';
	return clean;
}

/* dir is path, or one that path is below */
static bool is_within(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return !strncmp(path, dir, len) && (path[len] == '\0' || path[len] == '/');
}

static const struct pod_volume *find_volume(const struct pod *pod, const char *name)
{
	for (size_t i = 0; i < pod->nvolumes; i++)
		if (!strcmp(pod->volumes[i].name, name))
			return &pod->volumes[i];
	return NULL;
}

/* One step of the planning: a volume that one app mounts at one place. */
struct use {
	const struct pod_app *app;
	const struct pod_volume *volume;
	bool read_only, implicit, copy_image;
};

/* A host volume that is mounted both ways has two faces; an empty one is writable as soon as one app may. */
static bool same_volume(const struct volume_plan *v, const struct use *u)
{
	if (v->kind != u->volume->kind)
		return false;
	if (v->kind == POD_VOLUME_EMPTY)
		return !v->implicit && !u->implicit && !strcmp(v->source, u->volume->name);
	return !strcmp(v->source, u->volume->source) && v->recursive == u->volume->recursive &&
		v->read_only == u->read_only;
}

static bool is_taken(const struct pod *pod, const struct mounts_plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->nvolumes; i++)
		if (plan->volumes[i].kind == POD_VOLUME_EMPTY && !strcmp(plan->volumes[i].source, name))
			return true;
	for (size_t i = 0; i < pod->napps; i++)
		for (size_t k = 0; k < pod->apps[i].nmounts; k++) {
			const struct pod_volume *v = pod->apps[i].mounts[k].app_volume;

			if (v && !strcmp(v->name, name))
				return true;
		}
	return find_volume(pod, name) != NULL;
}

/* An implicit volume is its app's own, also where app and mount point spell another's name. */
static char *own_name(const struct pod *pod, const struct mounts_plan *plan, const struct use *u)
{
	char *name = xstrdup(u->volume->name);

	for (unsigned n = 2; is_taken(pod, plan, name); n++) {
		free(name);
		name = xasprintf("%s-%u", u->volume->name, n);
	}
	return name;
}

static size_t add_volume(const struct pod *pod, struct mounts_plan *plan, const struct use *u)
{
	const struct pod_volume *volume = u->volume;
	struct volume_plan *v;

	for (size_t i = 0; i < plan->nvolumes; i++) {
		if (!same_volume(&plan->volumes[i], u))
			continue;
		plan->volumes[i].read_only = plan->volumes[i].read_only && u->read_only;
		return i;
	}
	plan->volumes = xrealloc(plan->volumes, plan->nvolumes + 1, sizeof(*v));
	v = &plan->volumes[plan->nvolumes];
	*v = (struct volume_plan){
		.kind = volume->kind, .app = u->app->name, .name = volume->name,
		.read_only = u->read_only && !u->copy_image, /* the guest fills it */
		.recursive = volume->recursive, .implicit = u->implicit,
		.mode = volume->mode, .uid = volume->uid, .gid = volume->gid,
	};
	if (v->kind == POD_VOLUME_HOST) {
		v->source = xstrdup(volume->source);
		v->entry = xasprintf(PLAN_EXPORT_VOLUMES "/%zu", plan->nvolumes);
		plan->exports_volumes = true;
	} else {
		v->source = u->implicit ? own_name(pod, plan, u) : xstrdup(volume->name);
		v->entry = xasprintf(PLAN_EXPORT_POD "/" PLAN_POD_EMPTY "/%zu", plan->nvolumes);
	}
	return plan->nvolumes++;
}

/* Takes `target`. */
static int add_mount(const struct pod *pod, struct mounts_plan *plan, struct app_mounts *mounts,
	const struct use *u, char *target, struct err *e)
{
	if (!strcmp(target, "/")) {
		free(target);
		return err_set(e, ERR_INPUT, "app '%s', volume '%s': it cannot take the place of the app's root",
			u->app->name, u->volume->name);
	}
	if (mounts->n == PLAN_MOUNTS_MAX) {
		free(target);
		return err_set(e, ERR_INPUT, "app '%s': more than %d mounts", u->app->name, PLAN_MOUNTS_MAX);
	}
	mounts->list = xrealloc(mounts->list, mounts->n + 1, sizeof(*mounts->list));
	mounts->list[mounts->n++] = (struct mount_plan){
		.volume = add_volume(pod, plan, u), .target = target, .read_only = u->read_only,
		.copy_image = u->copy_image,
	};
	if (is_within(target, "/sys"))
		mounts->has_sysfs = false;
	if (plan->nvolumes > PLAN_VOLUMES_MAX)
		return err_set(e, ERR_INPUT, "the pod mounts more than %d volumes", PLAN_VOLUMES_MAX);
	return 0;
}

static int plan_named(const struct pod *pod, const struct pod_app *app, struct mounts_plan *plan,
	struct app_mounts *mounts, struct err *e)
{
	for (size_t i = 0; i < app->nmounts; i++) {
		const struct pod_mount *m = &app->mounts[i];
		struct use u = { .app = app };

		u.volume = m->app_volume ? m->app_volume : find_volume(pod, m->volume);
		if (!u.volume)
			return err_set(e, ERR_INPUT, "app '%s', mount '%s': no volume named '%s'", app->name,
				m->path, m->volume);
		for (size_t k = 0; k < app->nmount_points; k++)
			if (!strcmp(app->mount_points[k].name, m->volume)) {
				u.read_only = app->mount_points[k].read_only;
				break;
			}
		if (u.volume->read_only != POD_UNSET)
			u.read_only = u.volume->read_only == POD_TRUE;
		if (add_mount(pod, plan, mounts, &u, path_clean(m->path), e) < 0)
			return -1;
	}
	return 0;
}

static int plan_implicit(const struct pod *pod, const struct pod_app *app,
	const struct pod_mount_point *point, struct mounts_plan *plan, struct app_mounts *mounts,
	char *target, struct plan_warnings *w, struct err *e)
{
	AUTO_FREE char *name = xasprintf("%s-%s", app->name, point->name);
	const struct pod_volume volume = { .name = name, .kind = POD_VOLUME_EMPTY, .mode = 0755 };
	const struct use u = { .app = app, .volume = &volume, .read_only = point->read_only,
		.implicit = true, .copy_image = app->docker_image };

	plan_warn(w, "app '%s': no volume specified for mount point \"%s\", implicitly creating an \"empty\" "
		"volume, which goes when the pod is garbage-collected", app->name, point->name);
	if (add_mount(pod, plan, mounts, &u, target, e) < 0)
		return -1;
	plan->volumes[plan->nvolumes - 1].name = point->name; /* `name` is gone soon */
	return 0;
}

static bool has_target(const struct app_mounts *mounts, size_t n, const char *target)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(mounts->list[i].target, target))
			return true;
	return false;
}

/* What the image wants mounted and the pod does not mention. */
static int plan_points(const struct pod *pod, const struct pod_app *app, struct mounts_plan *plan,
	struct app_mounts *mounts, struct plan_warnings *w, struct err *e)
{
	size_t nnamed = mounts->n;

	for (size_t i = 0; i < app->nmount_points; i++) {
		const struct pod_mount_point *point = &app->mount_points[i];
		struct use u = { .app = app, .volume = find_volume(pod, point->name),
			.read_only = point->read_only };
		char *target = path_clean(point->path);
		int ret = 0;

		if (has_target(mounts, nnamed, target)) {
			free(target);
		} else if (!u.volume) {
			ret = plan_implicit(pod, app, point, plan, mounts, target, w, e);
		} else {
			if (u.volume->read_only != POD_UNSET)
				u.read_only = u.volume->read_only == POD_TRUE;
			ret = add_mount(pod, plan, mounts, &u, target, e);
		}
		if (ret < 0)
			return -1;
	}
	return 0;
}

int plan_mounts(const struct pod *pod, struct mounts_plan *plan_r, struct plan_warnings *w,
	struct err *e)
{
	struct mounts_plan plan = MOUNTS_PLAN_INIT;

	plan.apps = xcalloc(pod->napps, sizeof(*plan.apps));
	plan.napps = pod->napps;
	for (size_t i = 0; i < pod->napps; i++) {
		const struct pod_app *app = &pod->apps[i];

		plan.apps[i].has_sysfs = true;
		if (plan_named(pod, app, &plan, &plan.apps[i], e) < 0 ||
			plan_points(pod, app, &plan, &plan.apps[i], w, e) < 0) {
			mounts_plan_dispose(&plan);
			return -1;
		}
	}
	*plan_r = plan;
	return 0;
}

static struct volume_plan own_volume(const struct volume_plan *from, size_t number)
{
	struct volume_plan v = *from;

	v.source = xstrdup(from->source);
	if (v.kind == POD_VOLUME_HOST) {
		v.entry = xasprintf(PLAN_EXPORT_VOLUMES "/%zu", number);
	} else {
		v.entry = xasprintf(PLAN_EXPORT_POD "/" PLAN_POD_EMPTY "/%s", from->source);
		v.read_only = false;
	}
	return v;
}

void mounts_of_app(const struct mounts_plan *all, size_t app, size_t first, struct mounts_plan *own_r)
{
	const struct app_mounts *from = &all->apps[app];
	AUTO_FREE size_t *number = xcalloc(all->nvolumes + 1, sizeof(*number)); /* in own.volumes, and 1; 0: none yet */
	struct mounts_plan own = { .napps = 1, .exports_volumes = true };

	own.apps = xcalloc(1, sizeof(*own.apps));
	own.apps[0].has_sysfs = from->has_sysfs;
	own.apps[0].list = xcalloc(from->n + 1, sizeof(*own.apps[0].list));
	own.volumes = xcalloc(from->n + 1, sizeof(*own.volumes));
	for (size_t i = 0; i < from->n; i++) {
		struct mount_plan *m = &own.apps[0].list[own.apps[0].n++];

		*m = from->list[i];
		m->target = xstrdup(from->list[i].target);
		if (number[m->volume] == 0) {
			own.volumes[own.nvolumes] = own_volume(&all->volumes[m->volume], first + own.nvolumes);
			number[m->volume] = ++own.nvolumes;
		}
		m->volume = number[m->volume] - 1;
	}
	*own_r = own;
}

int mounts_found(struct volume_plan *v, uint32_t mode, unsigned dev_major, unsigned dev_minor,
	struct err *e)
{
	static const struct { unsigned dev_major, dev_minor; const char *path; } own[] = {
		{ 1, 3, "/dev/null" }, { 1, 5, "/dev/zero" }, { 1, 7, "/dev/full" }, { 1, 8, "/dev/random" },
		{ 1, 9, "/dev/urandom" }, { 5, 0, "/dev/tty" }, { 5, 2, "/dev/pts/ptmx" },
		{ 10, 200, "/dev/net/tun" },
	};

	if (!S_ISCHR(mode) && !S_ISBLK(mode))
		return 0;
	for (size_t i = 0; i < COUNT(own) && S_ISCHR(mode); i++)
		if (own[i].dev_major == dev_major && own[i].dev_minor == dev_minor) {
			v->node = own[i].path;
			free(v->entry);
			v->entry = NULL;
			return 0;
		}
	return err_set(e, ERR_INPUT, "app '%s', volume '%s': %s is a device of this host: a virtual machine "
		"has only null, zero, full, random, urandom, tty, ptmx and tun", v->app, v->name, v->source);
}

void mounts_plan_dispose(struct mounts_plan *plan)
{
	for (size_t i = 0; i < plan->nvolumes; i++) {
		free(plan->volumes[i].source);
		free(plan->volumes[i].entry);
	}
	free(plan->volumes);
	for (size_t i = 0; i < plan->napps; i++) {
		for (size_t k = 0; k < plan->apps[i].n; k++)
			free(plan->apps[i].list[k].target);
		free(plan->apps[i].list);
	}
	free(plan->apps);
	*plan = (struct mounts_plan)MOUNTS_PLAN_INIT;
}
