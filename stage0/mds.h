/*
 * Registration of pods with rkt's metadata service: HTTP over its socket (rkt stage0/registration.go).
 */
#ifndef STAGE0_MDS_H
#define STAGE0_MDS_H

#include "stage0/poddir.h"

#define MDS_SOCKET "/run/rkt/metadata-svc.sock"

enum { MDS_TOKEN_LEN = 32 };

/*
 * Tells the service of the pod and of its apps: what the files `pod` and appsinfo/APP/manifest say.
 * The file mds-registered says so before the service knows, until mds_unregister(). The token is what apps show.
 * A service that is silent for 10 s is an error. Errors lead with "--mds-register"; nothing remains
 * registered after one.
 */
int mds_register(const struct poddir *pod, const char *socket, char token_r[MDS_TOKEN_LEN + 1],
	struct err *e);

/* Does nothing for a pod that is not registered. `dir` is the pod's, `uuid` its name. */
int mds_unregister(int dir, const char *uuid, const char *socket, struct err *e);

#endif
