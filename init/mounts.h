/* Every mount(2) of the guest. Sources are the kernel's and the one 9p export, targets ours. */
#ifndef INIT_MOUNTS_H
#define INIT_MOUNTS_H

#include "stage1/common/err.h"

/*
 * PID 1's own tree: leaves the initramfs for a tmpfs (so that pivot_root works for the apps), with
 * /proc, /sys, /dev, /dev/pts and /dev/shm.
 */
int mounts_base(struct err *e);
/* The pod's export at GUEST_EXPORT_DIR. The kernel has waited for its backend before it began us. */
int mounts_export(struct err *e);
/* Written data goes to dom0 and the export is let go. 0 also when somebody still keeps it busy. */
void mounts_export_end(void);
/*
 * For a child about to become an app, in a mount namespace of its own: makes `root` (an absolute
 * path in PID 1's tree) its root directory, with /proc, /sys and /dev in it, PID 1's pts and shm.
 */
int mounts_enter_root(const char *root, struct err *e);

#endif
