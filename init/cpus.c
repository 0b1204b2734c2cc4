/* See cpus.h. */
#include "init/cpus.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "stage1/common/util.h"

/* The kernel has a directory for each that it was told of: those follow one another. */
void cpus_up(void)
{
	for (int cpu = 1;; cpu++) {
		AUTO_CLOSE int fd = -1;
		char path[60];

		(void)snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			return;
		(void)!write(fd, "1", 1);
	}
}
