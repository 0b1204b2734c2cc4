/*
 * A file of what an app writes, as kubelet reads it and rkt's stage1 writes it (its logmode k8s-plain):
 *
 *      2026-11-24T22:04:05.678901234Z stdout text
 *
 * UTC, zeros at the end of the fraction left out, as Go's RFC3339Nano does. It is cut to nothing at the start and
 * then grows: who reads it has to bound it. Lines of more than CRILOG_LINE_MAX bytes become several. What cannot be
 * written (a full disk) is lost here, and only here; it is counted.
 */
#ifndef STAGE1_CRILOG_H
#define STAGE1_CRILOG_H

#include <stddef.h>
#include <stdint.h>

#include "stage1/common/err.h"

enum { CRILOG_LINE_MAX = 32 << 10 };

struct crilog;

/*
 * `name` in the directory `dir`, made (0640) or emptied. The directory is the administrator's and may be a link; the file
 * may be none, nor a device or fifo, nor have a second name: whoever writes there could lead us elsewhere.
 */
int crilog_open(const char *dir, const char *name, struct crilog **log_r, struct err *e);
/* Bytes of a stream (of the wire) in the order they came; a line is written when it is whole. */
void crilog_write(struct crilog *log, unsigned stream, const uint8_t *data, size_t len);
/* What is left of lines is written; how many lines were lost. NULL: none. */
unsigned long crilog_close(struct crilog *log);

#endif
