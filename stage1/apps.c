/* See apps.h. What becomes of them; who asks is apps_serve.c's, adding one app_add.c's. */
#include "stage1/apps_internal.h"

#include <stdio.h>
#include <string.h>

#include "stage1/app_files.h"
#include "stage1/common/util.h"
#include "stage1/poddir.h"
#include "stage1/terminal.h"

enum { STOP_GRACE_MS = 90000 }; /* TERM to KILL: as of a pod */

int apps_find(const struct apps *a, const char *name)
{
	for (int i = 0; i < WIRE_APPS_MAX; i++)
		if (a->slots[i].name && !a->slots[i].forgotten && !strcmp(a->slots[i].name, name))
			return i;
	return -1;
}

int apps_start(struct apps *a, const char *name, struct err *e)
{
	int id = apps_find(a, name);

	if (id < 0)
		return err_set(e, ERR_INPUT, "the pod has no app '%s'", name);
	if (a->in->session->stopping || a->in->session->ended)
		return err_set(e, ERR_HOST, "the pod is ending");
	session_start(a->in->session, (unsigned)id);
	a->slots[id].status_due = true;
	return 0;
}

void apps_stop(struct apps *a, unsigned id)
{
	session_stop_app(a->in->session, id, STOP_GRACE_MS);
}

int apps_forget(struct apps *a, unsigned id, struct err *e)
{
	struct app_slot *slot = &a->slots[id];
	int ret = app_files_remove(a->in->backend, a->in->plan->s1root, slot->entries, slot->nentries, e);

	slot->forgotten = true; /* also then: its number and its name may be another's at once */
	slot->status_due = false;
	control_attachable(a->in->control, id, NULL, 0);
	return ret;
}

void apps_slot_dispose(struct app_slot *slot)
{
	unsigned long lost = crilog_close(slot->cri);

	if (lost > 0)
		fprintf(stderr, "stage1 run: warning: app '%s': %lu lines are not in its kubernetes log%s", slot->name, lost,
			terminal_eol());
	for (size_t i = 0; i < slot->nentries; i++)
		free(slot->entries[i]);
	free(slot->entries);
	free(slot->name);
	*slot = (struct app_slot){ .name = NULL };
}

/* It is forgotten. */
static void free_slot(struct apps *a, unsigned id)
{
	output_app_gone(a->in->output, id);
	apps_slot_dispose(&a->slots[id]);
}

/* Its status is there before anybody is told. */
static void tell_end(struct app_slot *slot, const struct session_app *app)
{
	struct err e = ERR_INIT;

	slot->status_due = false;
	if (*app->text)
		fprintf(stderr, "stage1 run: app '%s': %s%s", slot->name, app->text, terminal_eol());
	if (poddir_write_status(slot->name, session_app_status(app), &e) < 0)
		fprintf(stderr, "stage1 run: %s%s", e.msg, terminal_eol());
}

void apps_look(struct apps *a)
{
	const struct session *s = a->in->session;

	for (unsigned i = 0; i < WIRE_APPS_MAX; i++) {
		struct app_slot *slot = &a->slots[i];

		if (!slot->name)
			continue;
		if (slot->status_due && s->apps[i].phase >= SESSION_IDLE && s->apps[i].state == SESSION_APP_OVER &&
			!s->apps[i].start_due)
			tell_end(slot, &s->apps[i]);
		if (slot->forgotten && !session_has(s, i))
			free_slot(a, i);
	}
}
