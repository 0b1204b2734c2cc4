/* Times and durations as rkt's users see and write them. Pure, but for the local time zone. */
#ifndef STAGE0_WHEN_H
#define STAGE0_WHEN_H

#include <stdint.h>
#include <time.h>

#include "stage1/common/err.h"

#define WHEN_NS INT64_C(1000000000) /* a second */

enum { WHEN_SIZE = 64 };

/* "3 minutes ago"; tv_sec 0 is no time: "a long while ago" (go-humanize's words). */
void when_ago(const struct timespec *t, time_t now, char text_r[WHEN_SIZE]);
/* "2016-01-25 17:42:32.563 +0100 CET"; the year 1 for no time, as Go's zero. */
void when_full(const struct timespec *t, char text_r[WHEN_SIZE]);

/* Go's durations, in nanoseconds: "1h30m", "1.5s", "300ms", "0", "-1s". `flag` leads the message. */
int duration_parse(const char *flag, const char *text, int64_t *ns_r, struct err *e);
/* For --wait: true is -1 (for ever), false 0 (not at all), or a duration. */
int patience_parse(const char *flag, const char *text, int64_t *ns_r, struct err *e);

#endif
