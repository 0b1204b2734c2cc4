/* PID 1 of the benchmark's plain domain: one word on the console, then power-off. */
#include <stdio.h>
#include <sys/reboot.h>
#include <unistd.h>

int main(void)
{
	static const char up[] = "bench: up\n";

	(void)!write(STDOUT_FILENO, up, sizeof(up) - 1);
	for (;;) {
		(void)sleep(1); /* the console is drained; the benchmark destroys us */
		(void)reboot(RB_POWER_OFF);
	}
}
