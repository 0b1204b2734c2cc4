/*
 * The terminal we were started on, when it is to be that of a process in a guest: raw while that runs,
 * as it was on every way out (also by a signal that kills us, KILL excepted), its size, and ^Z from
 * outside. One per process: a terminal is the process's, not the caller's.
 */
#ifndef STAGE1_TERMINAL_H
#define STAGE1_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

/* Descriptors 0 and 1 are a terminal: input is typed and output is seen. */
bool terminal_there(void);
/* What it was becomes what terminal_restore() makes it again. Nothing when it is no terminal any more. */
void terminal_raw(void);
/* Harmless at any time, any number of times. */
void terminal_restore(void);
/* What ends a line of our own on it: "\r\n" while it is raw. */
const char *terminal_eol(void);
/* 0 and 0 when it does not know. */
void terminal_size(uint32_t *rows_r, uint32_t *cols_r);
/* SIGTSTP from outside: gives the terminal back, stops, and takes it again when we are continued. */
void terminal_suspend(void);

#endif
