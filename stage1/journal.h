/*
 * The host's journal by its native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/): one datagram
 * an entry. Never waits: what the journal does not take at once is counted and lost, there only.
 *
 * Entries carry MESSAGE, PRIORITY=6, SYSLOG_IDENTIFIER=<app>, SYSLOG_PID=<pid in the guest>,
 * RKT_POD=<uuid>, RKT_APP=<app> and RKT_STREAM=stdout|stderr.
 */
#ifndef STAGE1_JOURNAL_H
#define STAGE1_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

enum { JOURNAL_FIELDS_MAX = 1024 };

struct journal {
	int fd;           /* -1: this host has none */
	const char *path, *pod; /* borrowed */
	unsigned long lost;
};

struct journal_entry {
	const char *app, *stream;
	uint32_t pid;
	const void *text;
	size_t len;
};

/* An entry but for its text: ends with "MESSAGE\n", after which come the text's size and the text. Their length. */
size_t journal_fields(char fields[JOURNAL_FIELDS_MAX], const char *pod, const struct journal_entry *entry);
void journal_size(uint8_t size[8], size_t len); /* as it is written there */

/* No error: without a socket at `path` entries go nowhere. */
void journal_open(struct journal *j, const char *path, const char *pod);
void journal_send(struct journal *j, const struct journal_entry *entry);
void journal_close(struct journal *j);

#endif
