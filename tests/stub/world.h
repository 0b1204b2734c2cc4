/*
 * The world around `run` in tests/stub: a hypervisor with room for one domain, the guest in it, and
 * the ledger of everything that was made and not unmade. Both borders are built on it: fake_ops.c
 * stands for all of stage1/xen, fake_libxl.c for the libraries below it.
 *
 * `run` is played in a child process; the world is a mapping it shares with the test.
 */
#ifndef TESTS_STUB_WORLD_H
#define TESTS_STUB_WORLD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "stage1/xen/xen.h"

enum { WORLD_DOMID = 5, WORLD_EXIT = 7 };
#define WORLD_UUID "6733c0b5-5f2c-4a4b-8a4c-2f3f4b1f9c01"

/* What the guest does, in order. */
enum step {
	STEP_BOOT, /* writes to its console, serves its channel */
	STEP_HELLO,
	STEP_STARTED,
	STEP_STDOUT,
	STEP_STDERR,
	STEP_EOF,
	STEP_EXITED,
	STEP_END,
	STEPS,
};

/* What befalls it before a step; after the last one for STEPS. */
enum fate {
	FATE_NONE,
	FATE_POWEROFF,
	FATE_CRASH,
	FATE_GONE,
	FATE_BACKEND, /* the process that serves the export dies */
	FATE_TAKEN,   /* the same, since somebody destroys the domain */
	FATE_CLOSE,   /* the guest closes its channel */
	FATE_HALF,    /* inside a frame */
	FATE_GARBAGE,
	FATE_STALL,   /* it does nothing any more, STOP or not */
	FATE_TERM,
	FATE_HANG_UP,
	FATE_TERM_TWICE,
	FATE_PWR_TWICE, /* the stop entrypoint's */
	FATE_PAUSE,     /* somebody pauses it for longer than anything may take, then the stop entrypoint is called */
	FATES,
	FATE_SLEEP,     /* the supervisor was stopped for long, while the guest went on */
};

struct world {
	/* the script */
	bool mutable_pod;   /* without apps: the guest says END when it is told to stop, */
	bool ends_itself;   /* or at once */
	bool quick;         /* without the leak checker, which takes longer than the life */
	int fail_at;        /* the n-th call fails; 0: none */
	bool destroy_fails; /* and so does every destroy */
	bool half_domain;   /* a create that fails has made something */
	bool other_domain;  /* somebody's has the pod's uuid */
	bool dump_fails;
	bool backend_never; /* the 9p backend does not come up */
	bool networks_late; /* their plugins do not end */
	int cut_at;         /* the guest dies when it has sent n bytes; 0: it does not */
	int signal_at;      /* TERM during the n-th call */
	enum fate fate;
	enum step fate_at;
	/* the ledger */
	int calls;
	char failed[60];    /* name of the call that failed */
	int domains, contexts, stores, death_watches, channels, networks;
	int creates, destroys, unpauses, dumps, attaches;
	bool said_exited, said_end;
	int sent;           /* bytes of the guest's */
	char misuse[200];   /* the first thing nobody may do */
	char leaks[400];    /* descriptors */
	bool children;
	/* the present */
	int skew_s;         /* the clock is ahead by it */
	bool struck, unpaused, backend_dead, taken, stalled, paused;
	int paused_turns;
	enum domain_state state;
	pid_t backend;
	bool backend_ours; /* made with the domain */
	int console;        /* the other end, -1 */
	char console_path[64];
};

extern struct world *world;

/* Counts a call; true when it is its turn to fail. */
bool world_fails(const char *call);
void world_misuse(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* backend: a process that serves its export comes with it. */
void world_create(bool backend);
void world_destroy(void);
void world_unpause(void);
void world_crash(void); /* the guest's kernel panics: nothing more comes of the console */
int world_console(void); /* -1: it could not be made */
/* The channel: our end of it, -1 as long as the guest does not serve it. */
int world_channel_open(void);
void world_channel_close(void);
void world_channel_breaks(void); /* for good: nothing is read or written any more */
ssize_t world_channel_read(void *buf, size_t len);
ssize_t world_channel_write(const void *buf, size_t len);
/* Time for the guest to do its next step; lowers *timeout_ms as there is always something to do. */
void world_turn(int *timeout_ms);
/* Asked by the guest before each step: fate may strike, and the step is not to be done. */
bool world_may_step(enum step next);

/* guest.c */
void guest_open(int fd);
void guest_close(void);
bool guest_serves(void);
void guest_turn(void);
void guest_garbage(bool half);

extern const struct xen_ops fake_ops; /* fake_ops.c */

#endif
