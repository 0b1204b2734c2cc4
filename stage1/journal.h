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

/* No error: without a socket at `path` entries go nowhere. */
void journal_open(struct journal *j, const char *path, const char *pod);
void journal_send(struct journal *j, const struct journal_entry *entry);
void journal_close(struct journal *j);

#endif
