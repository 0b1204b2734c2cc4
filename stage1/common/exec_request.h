/*
 * What a process that enters an app is to be: sent by dom0 as EXEC frames, carried out by the guest's
 * PID 1. It runs as the app's root, in the app's mounts, environment and restrictions. Or no process: a
 * connection to a port of the guest's own, whose two directions are stdin and stdout.
 */
#ifndef STAGE1_COMMON_EXEC_REQUEST_H
#define STAGE1_COMMON_EXEC_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "stage1/common/err.h"
#include "stage1/common/guest_plan.h"

struct exec_request {
	uint32_t app;       /* index into the guest plan's apps */
	struct guest_io io;
	char **argv;        /* argv[0] is looked up as a shell would, along the app's PATH */
	size_t argc;        /* at least 1; 0: a connection */
	char **env;         /* "NAME=VALUE": in place of the app's own, or beside them */
	size_t nenv;
	uint32_t port;      /* of a connection: TCP, 1 to 65535; else 0 */
};

#define EXEC_REQUEST_INIT { .argv = NULL }

/* A malloc'ed encoding, the caller's. Errors only when it would exceed WIRE_EXEC_MAX. */
int exec_request_encode(const struct exec_request *req, uint8_t **data_r, size_t *len_r, struct err *e);
/* Strings of *req_r are borrowed from `data`, which must outlive it. Never aborts. */
int exec_request_decode(uint8_t *data, size_t len, struct exec_request *req_r, struct err *e);
void exec_request_dispose(struct exec_request *req); /* of a decoded one: its arrays */

#endif
