/*
 * The pod's own journal: what its apps write in mode log, as files of journald in the pod's stage1/rootfs/var/log/journal.
 * There rkt's api-service looks for logs (rkt rkt/api_service_sdjournal.go, pkg/pod/pods.go: JournalLogPath), and
 * `journalctl --directory` may. systemd's own program writes them, systemd-journal-remote, if the host has it (Debian's
 * package of that name): from a pipe of ours in the Journal Export Format (https://systemd.io/JOURNAL_EXPORT_FORMATS/), which is
 * nearly that of stage1/journal.h. It runs while there is something to write: a pod that says nothing has none.
 *
 * Never waits; but a line is not taken from its app before the writer has room for it. A writer that fails, or takes nothing
 * for PODJOURNAL_PATIENCE_MS, is ended, and the journal with it: what comes then is lost, there only, and counted.
 */
#ifndef STAGE1_PODJOURNAL_H
#define STAGE1_PODJOURNAL_H

#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "stage1/common/err.h"
#include "stage1/journal.h"
#include "stage1/prefix.h"

#define PODJOURNAL_WRITER "/lib/systemd/systemd-journal-remote"
#define PODJOURNAL_DIR "var/log/journal" /* below stage1/rootfs; in it one of the pod's machine id, its UUID without dashes */

enum {
	PODJOURNAL_MAX = 8 << 20,       /* bytes of entries in a file (which takes two or three times that); one more has those before */
	PODJOURNAL_IDLE_MS = 10000,     /* without a line: the writer ends */
	PODJOURNAL_PATIENCE_MS = 30000,
	PODJOURNAL_ENTRY_MAX = PREFIX_LINE_MAX + JOURNAL_FIELDS_MAX + 512,
	PODJOURNAL_BUF = 2 * PODJOURNAL_ENTRY_MAX,
};

enum podjournal_state {
	PODJOURNAL_NONE,    /* there is no writer on this host, or it failed */
	PODJOURNAL_IDLE,
	PODJOURNAL_WRITING,
	PODJOURNAL_ENDING,  /* it has been told all, and finishes its file */
};

struct podjournal {
	enum podjournal_state state;
	const char *writer, *root, *pod; /* borrowed */
	char dir[PATH_MAX];
	char boot[40];            /* what the kernel calls this boot, without dashes */
	int pipe, pidfd;          /* to the writer; the writer */
	pid_t pid;
	int64_t deadline;         /* monotonic ms: of the writer, or of its silence */
	size_t written;           /* into the file, by this writer and those before */
	unsigned long waiting;    /* lines in buf */
	bool unasked;             /* it ended, and was not told to */
	bool room_wanted;         /* by somebody who was refused */
	unsigned early;           /* how many did */
	unsigned long lost;
	struct err why;           /* of a writer that failed */
	size_t start, end;        /* of buf: what is to be written */
	uint8_t *buf;             /* PODJOURNAL_BUF bytes; NULL: nothing was said yet */
};

/* `writer`: its program. `root`: the pod's stage1/rootfs. Nothing is made yet. */
void podjournal_open(struct podjournal *j, const char *writer, const char *root, const char *pod);
bool podjournal_has_room(struct podjournal *j); /* for a line; false: ask again when podjournal_tend() says so */
void podjournal_line(struct podjournal *j, const struct timespec *when, const struct journal_entry *entry);
/*
 * Writes, and looks after the writer: after each event, and at the deadline. True: there is room again for who was
 * refused it; no other event will tell.
 */
bool podjournal_tend(struct podjournal *j);
struct pollfd podjournal_poll(const struct podjournal *j);
int64_t podjournal_deadline(const struct podjournal *j); /* when podjournal_tend() is due though nothing happens; -1: never */
void podjournal_finish(struct podjournal *j); /* nothing more will be said, for now */
void podjournal_close(struct podjournal *j); /* what was said is in the file then */

#endif
