/*
 * When each step of a pod's life was done, for --debug: `stage1 run: 1.234 s: the domain is built`, in
 * seconds since trace_open(). `make trace` draws them.
 */
#ifndef STAGE1_TRACE_H
#define STAGE1_TRACE_H

#include <stdbool.h>

/* First thing in main(): the clock starts here. trace_on() says that the steps are wanted. */
void trace_open(void);
void trace_on(bool on);
/* A line; nothing unless it is on. */
void trace_step(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
