/*
 * The supervisor's socket between those who call it, played here, and the guest, played here too: what the tests of
 * it share.
 */
#ifndef TESTS_UNIT_PEERS_H
#define TESTS_UNIT_PEERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stage1/common/wire.h"
#include "stage1/control.h"

extern struct session *s;
extern struct control *c;
extern struct frame_writer guest;   /* what the guest says next */

struct peer { /* one who calls */
	int fd;
	struct frame_reader rd;
	struct frame_writer wr;
};

void guest_said(void);
/* Turns of the supervisor's loop, until nothing moves. */
void turn(void);
/* The next frame of that type for the guest; those before it are passed over. */
bool guest_hears(enum wire_type type, struct frame *f);
void start_pod(void); /* its only app has started */

struct peer *peer_new(void);
void peer_free(struct peer *p);
void peer_send(struct peer *p);
/* The next frame of that type; 0 none yet, -1 the supervisor has hung up. */
int peer_hears(struct peer *p, enum wire_type type, struct frame *f);

/* Of each test, and of the program. */
int peers_setup(void **state);
int peers_teardown(void **state);
int enter_dir(void **state);
int leave_dir(void **state);

#endif
