/*
 * An app's seccomp isolator -> a filter program for the guest's kernel (contract 4.4.2; rkt
 * stage1/init/common/seccomp.go). Pure: libseccomp gives the numbers of system calls; the program is
 * made here, because libseccomp can only write one to a descriptor.
 *
 * What a filter does:
 * - x86-64 and i386 calls are judged by name; x32 is answered ENOSYS, as by the guest's kernel without
 *   a filter; other ABIs kill.
 * - a call that is blocked gives the isolator's errno, or ends the process with SIGSYS;
 * - a retain-set answers ENOSYS to calls younger than rkt's lists (Linux 4.5) that it does not name: C
 *   libraries try these and fall back; being killed for it, no program of today would start.
 */
#ifndef STAGE1_PLAN_SECCOMP_H
#define STAGE1_PLAN_SECCOMP_H

#include <stddef.h>
#include <stdint.h>

#include "stage1/common/err.h"
#include "stage1/plan/plan.h"

#define SECCOMP_DEFAULT "@rkt/default-whitelist"
#define SECCOMP_ALWAYS "@systemd/default-whitelist"

struct seccomp_filter {
	uint8_t *program; /* struct sock_filter's, in the guest's byte order; NULL: no filter */
	size_t len;       /* bytes */
	char *summary;    /* for people: "retain 309 calls, else SIGSYS" */
};

/* `iso` is the app's isolator or NULL: the default whitelist. The caller frees what is in *filter_r. */
int seccomp_plan(const struct pod_app *app, const struct pod_isolator *iso, struct seccomp_filter *filter_r,
	struct plan_warnings *w, struct err *e);

/* The lists (each ending in NULL) of a named set; entries may be NULL. NULL for an unknown name. */
const char *const *const *seccomp_set(const char *name, size_t *n_r);

#endif
