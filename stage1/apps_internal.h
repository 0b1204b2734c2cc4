/* What the files of the apps of a mutable pod share. See apps.h. */
#ifndef STAGE1_APPS_INTERNAL_H
#define STAGE1_APPS_INTERNAL_H

#include "stage1/appctl.h"
#include "stage1/apps.h"

struct app_slot {
	char *name;       /* NULL: free */
	bool forgotten;   /* to who asks there is no such app: only the session still has the number */
	bool status_due;  /* it was begun: its end is to be told */
	uint64_t memory;  /* its limit in bytes, 0: none */
	uint32_t vcpus;   /* it is limited to; 0: to no number */
	char **entries;   /* of its files: see app_files_remove() */
	size_t nentries;
	struct crilog *cri; /* NULL: none */
};

struct apps {
	const struct apps_input *in;
	struct app_slot slots[WIRE_APPS_MAX]; /* by their numbers */
	unsigned trees; /* how many host volumes and roots there were: places are never used again */
	int fd;
	struct app_client *clients[APPS_POLL_MAX - 1];
	size_t nclients;
};

/*
 * app_add.c: reads the manifest, plans that app, adds its files, gives it a number. `ns`: see app_files.h.
 * 1: nothing is done but that the machine grows, which has to be first: once it has, again.
 */
int apps_add(struct apps *a, const char *name, int ns, struct err *e);

/* apps.c */
void apps_slot_dispose(struct app_slot *slot);
void apps_look(struct apps *a); /* statuses of those that have ended; frees what is gone */
int apps_start(struct apps *a, const char *name, struct err *e);
void apps_stop(struct apps *a, unsigned id);
/*
 * Nothing holds its files any more; on an error the backend holds some until the pod ends. The session may have the
 * number for longer.
 */
int apps_forget(struct apps *a, unsigned id, struct err *e);

#endif
