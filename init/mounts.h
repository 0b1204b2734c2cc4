/*
 * PID 1's own mounts; an app's are in init/view.c. Sources are the kernel's file systems and the 9p
 * exports of the plan.
 */
#ifndef INIT_MOUNTS_H
#define INIT_MOUNTS_H

#include "stage1/common/err.h"
#include "stage1/common/guest_plan.h"

/* In PID 1's tree, for apps to see: files of /etc, and what covers what they must not look into. */
#define MOUNTS_ETC "/etc"
#define MOUNTS_HIDDEN_DIR "/hidden"
#define MOUNTS_HIDDEN_FILE "/hidden-file"

/*
 * PID 1's own tree: leaves the initramfs for a tmpfs (so that pivot_root works for the apps), with
 * /proc, /sys, /dev, /dev/pts and /dev/shm.
 */
int mounts_base(struct err *e);
/* The plan's exports, each at its place. The kernel has waited for their backends before it began us. */
int mounts_exports(const struct guest_plan *plan, struct err *e);
/*
 * Written data goes to dom0, and the kernel forgets what it need not know of the exports: nothing there is kept in
 * use by us that nobody here uses.
 */
void mounts_let_go(void);
/* Written data goes to dom0 and the exports are let go. No matter when somebody still keeps one busy. */
void mounts_exports_end(void);
/* The plan's texts, as files in MOUNTS_ETC. */
int mounts_etc(const struct guest_plan *plan, struct err *e);

#endif
