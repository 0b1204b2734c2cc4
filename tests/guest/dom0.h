/* Dom0 as the guest sees it: says the plan, hears what becomes of it, gives credit. Fails the test. */
#ifndef TESTS_GUEST_DOM0_H
#define TESTS_GUEST_DOM0_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stage1/common/guest_plan.h"
#include "stage1/common/wire.h"
#include "tests/guest/vm.h"

enum { DOM0_APPS = 4, DOM0_ENTERED = 3, DOM0_OUT_MAX = 2 << 20 };

struct dom0_app {
	bool started, ready, over, gone;
	int handlers; /* how many have begun */
	enum wire_app_state how;
	uint32_t value;
	char text[WIRE_TEXT_MAX + 1];
	char *out[WIRE_STREAMS]; /* what it wrote, and a NUL */
	size_t len[WIRE_STREAMS];
	bool eof[WIRE_STREAMS];  /* [WIRE_STDIN]: it takes no more */
	size_t stdin_credit;
};

struct dom0 {
	struct vm vm;
	struct dom0_app apps[DOM0_APPS];
	struct dom0_app entered[DOM0_ENTERED]; /* by number - WIRE_EXEC_FIRST */
	size_t napps;
	bool greeted, ended, gone; /* gone: the guest's end of the channel is closed */
	bool stingy;               /* gives no credit */
	char log[1000];            /* LOG, a line each */
	int frames;                /* heard so far */
	int said;
	int hang_up_after;         /* closes the channel after so many of both; 0: never */
	bool hung_up;
	struct frame_reader rd;
	struct frame_writer wr;
};

/* An app of a pod: a name (whose root is there), what its manifest says; NULL: root, /. */
struct app_spec {
	const char *name, *user, *group, *cwd;
	const char *exec[4];
	const char *pre_start[4], *post_stop[4];
	const char *streams; /* of all three, as rkt's annotation says; NULL: none */
	const char *isolators; /* the items of the list, JSON */
	struct guest_mount *mounts; /* added to what the planner says */
	size_t nmounts;
	bool read_only_root, no_sysfs;
	bool docker_group; /* as of an image of docker that names a user only */
	uint16_t listens;  /* at this port, as of a socket-activated one; 0: none */
	bool says_ready;   /* as of an image that supports sd_notify */
};

extern struct guest_nic *dom0_nics; /* of the plans that are sent */
extern size_t dom0_nnics;

/* The guest runs and has been sent the plan of these apps. */
void dom0_start(struct dom0 *d, const struct app_spec *apps, size_t napps, bool interactive);
void dom0_say(struct dom0 *d, enum wire_type type, unsigned app, unsigned stream, const void *data,
	size_t len);
/* The guest runs, and its apps are to come and go. */
void dom0_start_empty(struct dom0 *d);
/* An app of that number is added and begun; what was known of one of that number is forgotten. */
void dom0_add(struct dom0 *d, unsigned id, const struct app_spec *app);
void dom0_stop_app(struct dom0 *d, unsigned id, uint32_t grace_ms);
void dom0_remove(struct dom0 *d, unsigned id, bool files);
/* A process for app 0, number `id`; its streams are of that kind. */
void dom0_exec(struct dom0 *d, unsigned id, enum guest_io_kind kind, const char *const *argv);
/* A connection to a port of app 0. */
void dom0_connect(struct dom0 *d, unsigned id, uint16_t port);
void dom0_stop(struct dom0 *d, uint32_t grace_ms);
/* Moves bytes until `done` says so, or we hung up. Fails the test after a while. */
void dom0_until(struct dom0 *d, bool (*done)(const struct dom0 *d));
/* Moves bytes until there has been nothing to move for so many milliseconds. */
void dom0_until_quiet(struct dom0 *d, int ms);
bool dom0_ended(const struct dom0 *d);
bool dom0_all_started(const struct dom0 *d);
/* To END and BYE, then everything a guest leaves behind: nothing. */
void dom0_to_end(struct dom0 *d);
/* The guest ends by itself; the same. */
void dom0_expect_clean_end(struct dom0 *d);
void dom0_hang_up(struct dom0 *d);
void dom0_dispose(struct dom0 *d);

#endif
