/*
 * Whether a file is what one of some keys signed: by gpgv (package gpgv), which is run without a shell, with
 * the keyring and the signature in memory and the file as its standard input.
 */
#ifndef STAGE0_SIGNATURE_H
#define STAGE0_SIGNATURE_H

#include "stage0/keystore.h"
#include "stage1/common/err.h"

/*
 * The detached signature of `fd`, read from its start, is in the file `path`, armored or not. Errors do
 * not say which.
 */
int signature_check(int fd, const char *path, const struct keyring *ring, struct err *e);

/* What gpgv says on its status descriptor, with its exit status (GnuPG, doc/DETAILS). Pure. */
int signature_judge(const char *status, int exit_status, struct err *e);

#endif
