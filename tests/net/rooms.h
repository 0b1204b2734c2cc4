/*
 * Network namespaces side by side, for tests that need real devices: made with this process, gone with
 * it. Root's (or a user namespace's), with iproute2; where that is not to be had the tests are skipped.
 */
#ifndef TESTS_NET_ROOMS_H
#define TESTS_NET_ROOMS_H

#include <stdbool.h>
#include <sys/types.h>

enum { ROOM_HOST, ROOM_POD, ROOM_GUEST, ROOMS };

extern int room_fd[ROOMS];

/* Fresh ones. False with errno when the host does not permit it. */
bool rooms_open(void);
void rooms_close(void);
void room_enter(int room);
/* Commands of a shell in it, in which $HOST, $POD and $GUEST name the rooms to `ip ... netns`. Fails the test. */
void room_do(int room, const char *commands);
/* Their exit status, and what they said to stdout (to be freed). */
int room_ask(int room, const char *commands, char **said_r);

#endif
