/*
 * As much of OpenPGP (RFC 4880) as a keystore needs: armor off, packets counted, the fingerprint of a
 * key. No cryptography but that hash: signatures are gpgv's. Pure.
 */
#ifndef STAGE0_PGP_H
#define STAGE0_PGP_H

#include <stddef.h>
#include <stdint.h>

#include "stage1/common/err.h"

enum { PGP_FINGERPRINT_LEN = 40 };

/* Armored or not; `kind` is "PUBLIC KEY BLOCK" or "SIGNATURE". *data_r is the caller's. */
int pgp_read(const char *text, size_t len, const char *kind, uint8_t **data_r, size_t *len_r,
	struct err *e);

/* The first public key with all that belongs to it: its length from the start, its fingerprint in hex. */
int pgp_first_key(const uint8_t *data, size_t len, size_t *key_len_r,
	char fingerprint_r[PGP_FINGERPRINT_LEN + 1], struct err *e);

/* Nothing but signatures, at least one: what could stand in for the signed file is refused. */
int pgp_only_signatures(const uint8_t *data, size_t len, struct err *e);

#endif
