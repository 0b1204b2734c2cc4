/* See added.h. Never aborts: without memory an app fails. */
#include "init/added.h"

#include <stdlib.h>
#include <string.h>

enum { STATUS_OTHER = 254 };

void added_part(struct added *d, const struct frame *f)
{
	uint8_t *bytes = d->too_long || d->len + f->len > WIRE_PLAN_MAX ? NULL : realloc(d->bytes, d->len + f->len);

	if (!bytes) {
		d->too_long = true;
		return;
	}
	memcpy(bytes + d->len, f->data, f->len);
	d->bytes = bytes;
	d->len += f->len;
}

static int decode(struct added *d, struct err *e)
{
	if (d->too_long)
		return err_set(e, ERR_SYSTEM, "no memory for the app's plan");
	if (guest_plan_decode(d->bytes, d->len, &d->plan, e) < 0)
		return -1;
	return d->plan.napps == 1 ? 0 : err_set(e, ERR_INPUT, "a plan of %zu apps instead of one", d->plan.napps);
}

void added_begin(struct added *d, struct app *a, unsigned id)
{
	static const struct guest_app none = { .name = (char *)".none" };
	struct err e = ERR_INIT;
	int ret = decode(d, &e);

	app_init(a, id, ret < 0 ? &none : &d->plan.apps[0]);
	if (ret < 0)
		app_fail(a, STATUS_OTHER, e.msg);
	else
		app_begin(a);
}

void added_dispose(struct added *d, struct app *a)
{
	if (a->plan)
		app_close(a);
	guest_plan_dispose(&d->plan);
	free(d->bytes);
	memset(d, 0, sizeof(*d));
	app_init(a, a->task.id, NULL);
}
