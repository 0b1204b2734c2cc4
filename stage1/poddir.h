/*
 * The pod's directory, which is the current one: what stage0 left there for us and what it looks for
 * afterwards (contract 2.1.1, 3.2 to 3.5). Nothing here needs Xen.
 */
#ifndef STAGE1_PODDIR_H
#define STAGE1_PODDIR_H

#include <stdbool.h>
#include <sys/types.h>

#include "stage1/common/err.h"
#include "stage1/pod/pod.h"

#define PODDIR_S1ROOT "stage1/rootfs" /* relative to the pod's directory */

/*
 * RKT_LOCK_FD is kept by us and by nobody we start: the pod counts as running as long as it is open.
 * An error when it is missing or no descriptor.
 */
int poddir_lock_keep(struct err *e);
/* The manifest, apps completed from their images; *s1root_r (malloc'ed) is the absolute path. */
int poddir_read(struct pod *pod_r, char **s1root_r, struct err *e);
/*
 * `subcgroup`: our cgroup, for rkt's api-service, which wants it there before `pid`. A host without cgroups: nothing.
 */
int poddir_write_cgroup(struct err *e);
/* Pure: of what /proc/PID/cgroup says, systemd's own hierarchy or else the unified one; without a leading '/'; the caller's. */
char *poddir_cgroup(const char *text);
/* `pid`: our pid. Its time is the pod's start for rkt: written once. */
int poddir_write_pid(struct err *e);
int poddir_read_pid(pid_t *pid_r, struct err *e);
/*
 * Written through the mounted stage1/rootfs: with overlay, rkt reads them in its upper directory
 * (contract 3.3).
 */
int poddir_write_status(const char *app, unsigned status, struct err *e);
int poddir_set_ready(bool ready, struct err *e);
bool poddir_is_ready(void);

#endif
