/* See cpus.h. */
#include "init/cpus.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "stage1/common/util.h"

enum { CPUS_MAX = 64 }; /* NR_CPUS of kernel/config */

void cpus_up(void)
{
	for (int cpu = 1; cpu < CPUS_MAX; cpu++) {
		AUTO_CLOSE int fd = -1;
		char path[60];

		(void)snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0 && write(fd, "1", 1) < 0)
			continue;
	}
}
