/*
 * The guest without Xen: init/'s supervisor as PID 1 of a PID, mount and UTS namespace, with a root of
 * its own, and a socket in place of the channel. The apps' roots are directories below vm_export().
 */
#ifndef TESTS_GUEST_VM_H
#define TESTS_GUEST_VM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What PID 1 leaves for the test to look at: memory both share. */
struct vm_report {
	bool returned;   /* guest_run() did */
	int let_go;      /* how often files were */
	unsigned turns;  /* how often it has waited for events */
	int left;        /* processes but PID 1 when it finished */
	int leaked_fds;
	int unmount_errno; /* of the export */
};

struct vm {
	pid_t pid;
	int fd; /* dom0's end of the channel */
};

extern struct vm_report *vm_report;
/* Set before vm_start(): the guest's time passes that much faster; its export cannot be mounted. */
extern int vm_speed;
extern bool vm_no_export;
extern bool vm_narrow; /* the channel holds next to nothing of what nobody reads */
extern const uint8_t *vm_nic; /* the MAC of a device it has, or NULL */

/* Once. False with errno when the host does not permit namespaces. */
bool vm_open(void);
void vm_shut(void);
const char *vm_export(void);
/* For apps to mount: /pod/v/dir with a file `inside`, /pod/v/empty, the file /pod/v/file. */
void vm_make_volumes(void);
/* An app's root below the export: busybox with the applets of the tests, /etc/passwd, /tmp. */
void vm_make_root(const char *name);
void vm_start(struct vm *vm);
/* Waits until PID 1 is gone; its exit status, 128 + n for signal n. Closes fd. */
int vm_wait(struct vm *vm);
void vm_kill(struct vm *vm);

#endif
