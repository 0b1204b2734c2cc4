/*
 * The public keys that images may be signed with, as rkt keeps them (pkg/keystore): below a directory of
 * the system's and one of the administrator's (/usr/lib/rkt, /etc/rkt)
 *
 *	trustedkeys/root.d/FINGERPRINT                  for every image
 *	trustedkeys/prefix.d/NAME/FINGERPRINT           for images NAME and NAME/...
 *
 * An empty file takes away the trust that one of the same name gave before: in the system's root.d, then
 * the administrator's, then prefix.d of both, each from the shorter name to the longer. What is in trustedkeys/
 * itself is no key.
 */
#ifndef STAGE0_KEYSTORE_H
#define STAGE0_KEYSTORE_H

#include <stddef.h>
#include <stdint.h>

#include "stage0/pgp.h"
#include "stage1/common/err.h"

struct trusted_key {
	char fingerprint[PGP_FINGERPRINT_LEN + 1];
	uint8_t *data;
	size_t len;
};

struct keyring {
	struct trusted_key *keys;
	size_t n;
};

#define KEYRING_INIT { .keys = NULL }

/* Those for the image `name`, which is a valid one. Errors name the file. */
int keyring_load(const char *system, const char *local, const char *name, struct keyring *ring_r,
	struct err *e);
void keyring_dispose(struct keyring *ring);

/* Trusts the key in `file`: for all images when `prefix` is NULL. *path_r is the caller's. */
int keystore_add(const char *local, const char *prefix, const char *file, char **path_r, struct err *e);

#endif
