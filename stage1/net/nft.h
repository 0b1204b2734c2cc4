/* The program nft, which puts rules in force. */
#ifndef STAGE1_NET_NFT_H
#define STAGE1_NET_NFT_H

#include "stage1/common/err.h"

#define NFT_PATHS "/usr/sbin/nft:/sbin/nft:/usr/bin/nft" /* where it is looked for */

/* Its path, malloc'ed; NULL and an error that says what to install. */
char *nft_find(struct err *e);

/*
 * All of the text, or nothing of it. `define` is NAME=VALUE for $NAME in it, or NULL. The message has nft's own
 * words.
 */
int nft_load(const char *rules, const char *define, struct err *e);

#endif
