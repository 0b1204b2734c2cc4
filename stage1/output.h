/*
 * What the apps write, from the session's buffers to where it belongs: our stdout and stderr, raw or as
 * lines that say whose they are; with the lines, the app's log, the host's journal and the pod's; or
 * whoever is attached. A line is never torn by another one, and nothing waits: a reader of ours that
 * does not read stalls the apps that write to it, by their credit.
 */
#ifndef STAGE1_OUTPUT_H
#define STAGE1_OUTPUT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "stage1/applog.h"
#include "stage1/crilog.h"
#include "stage1/journal.h"
#include "stage1/podjournal.h"
#include "stage1/prefix.h"
#include "stage1/session.h"
#include "stage1/sink.h"

enum output_mode {
	OUTPUT_LINES,
	OUTPUT_RAW,
	OUTPUT_GIVEN, /* raw, to others than our descriptors: see output_ends.give */
};
enum {
	OUTLETS = 2, /* stdout and stderr */
	OUTPUT_POLL = OUTLETS + 1,
};

/* What an app has written, somewhere else: how much of it was taken. */
typedef size_t (*output_give)(void *arg, size_t app, unsigned stream, const uint8_t *data, size_t len);

struct output_app {
	const char *name; /* borrowed */
	enum output_mode mode[WIRE_STREAMS];
	struct applog log;
	struct crilog *cri; /* of what is given; borrowed. NULL: none */
};

struct outlet {
	struct sink sink;
	bool gone;         /* nobody reads it any more */
	size_t first_app;  /* whose turn it is */
	size_t start, end; /* of buf: whole lines, and raw bytes */
	uint8_t buf[2 * PREFIX_LINE_MAX];
};

struct output {
	struct session *s;
	struct output_app *apps; /* s->napps, ours */
	struct journal journal;
	struct podjournal podjournal;
	output_give give;
	void *give_arg;
	bool shared; /* our stdout and stderr are the same: one outlet, or they would tear each other's lines */
	struct outlet outlets[OUTLETS];
};

struct output_ends {
	int out, err;        /* descriptors, borrowed */
	const char *journal; /* path of the journal's socket */
	const char *pod;     /* its UUID */
	const char *writer, *root; /* of its own journal: see podjournal_open(); the texts must outlive it */
	output_give give;    /* of streams of mode OUTPUT_GIVEN; NULL when there are none */
	void *give_arg;
};

/* `s` and the texts must outlive it. Every stream is of lines until the caller sets another mode in apps[]. */
void output_open(struct output *o, struct session *s, const struct output_ends *ends);
void output_app(struct output *o, size_t app, const char *name); /* for each; the name is borrowed */
void output_app_gone(struct output *o, size_t app); /* of one that comes and goes; all it wrote is written */
/*
 * Moves what can be moved without waiting: a bounded amount. True when something moved: there may be
 * more, and credit to give. `last`: nothing more will come of the guest.
 */
bool output_pump(struct output *o, bool last);
void output_poll(const struct output *o, struct pollfd fds[OUTPUT_POLL]);
int64_t output_deadline(const struct output *o); /* when output_pump() is due though nothing happens; -1: never */
bool output_done(const struct output *o); /* everything that came is written */
void output_close(struct output *o); /* what was lost can still be read */
void output_dispose(struct output *o);

#endif
