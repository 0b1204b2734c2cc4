/* In an app: the oldest way out of a chroot. Exits with 1 when it sees PID 1's root. */
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
	if (mkdir("/tmp/jail", 0755) < 0 || chroot("/tmp/jail") < 0)
		return 2; /* CAP_SYS_CHROOT is in rkt's default set */
	for (int i = 0; i < 64; i++)
		if (chdir("..") < 0)
			return 3;
	return access("pod", F_OK) == 0 || access("host", F_OK) == 0;
}
