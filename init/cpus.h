/* The machine's processors. */
#ifndef INIT_CPUS_H
#define INIT_CPUS_H

/*
 * Brings up those that Xen lets the guest use by now: the kernel is told of them by xenstore, and leaves it to us
 * when. One that does not come up is done without.
 */
void cpus_up(void);

#endif
