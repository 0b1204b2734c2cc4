/* The process that serves the rings: from the numbers that say where they are to its end. */
#ifndef STAGE1_P9_SERVE_H
#define STAGE1_P9_SERVE_H

#include <xenevtchn.h>
#include <xengnttab.h>

#include "stage1/common/err.h"
#include "stage1/p9/ring.h"

enum { DEVICES_MAX = 8 };

/* What the guest says of its rings, all numbers. */
struct connect {
	uint32_t domid;
	struct {
		uint32_t nrings;
		struct {
			uint32_t ref, port;
		} ring[RINGS_MAX];
	} dev[DEVICES_MAX];
};

struct serve {
	xengnttab_handle *gnttab;
	unsigned n;
	struct {
		struct p9_server *server;
		xenevtchn_handle *evtchn[RINGS_MAX];
		struct rings rings;
	} dev[DEVICES_MAX];
};

/* The handles, for n devices, while there is a /dev. */
int serve_open(struct serve *s, unsigned n, struct err *e);
void serve_forget(struct serve *s); /* for the process that is not the server */
/*
 * Reads a struct connect from `peer`, maps the rings, starts their threads, gives up what that needed,
 * and writes a byte. Returns only what went wrong; the end of `peer` ends the process.
 */
int serve(struct serve *s, int peer, struct err *e);

#endif
