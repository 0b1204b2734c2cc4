/*
 * The files of /etc that a pod gives its apps: /etc/resolv.conf and /etc/hosts, by the modes of
 * --dns-conf-mode (contract 2.1.3; rkt stage1/init/common/dns_config.go). Pure: texts in, texts out.
 */
#ifndef STAGE1_PLAN_ETC_H
#define STAGE1_PLAN_ETC_H

#include "stage1/common/err.h"

enum etc_mode {
	ETC_DEFAULT, /* resolv.conf: the image's. hosts: the image's, or our fallback where it has none */
	ETC_NONE,    /* resolv.conf only: the image's, whatever a network says */
	ETC_STAGE0,  /* what stage0 wrote into our etc */
	ETC_HOST,    /* dom0's own file */
};

struct etc_modes {
	enum etc_mode resolv, hosts;
};

/* "resolv=host,hosts=stage0", in any order; NULL is default. */
int etc_modes_parse(const char *text, struct etc_modes *modes_r, struct err *e);

/* Texts that were read for these modes, or NULL. Owned: etc_files_dispose(). */
struct etc_files {
	char *resolv, *hosts;
};

void etc_files_dispose(struct etc_files *files);

/* `text` with `name` on each line of the address, or a line more when it has none. malloc'ed. */
char *hosts_add_name(const char *text, const char *address, const char *name);

#endif
