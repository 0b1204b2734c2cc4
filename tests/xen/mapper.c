/*
 * In an app: a shared writable mapping of the file argv[1], which it makes. What was written through
 * the mapping must be in the file, and what is written to the file in the mapping.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SIZE = 3 * 4096 };

int main(int argc, char **argv)
{
	char text[16] = "";
	char *map;
	int fd;

	if (argc != 2)
		return 2;
	fd = open(argv[1], O_RDWR | O_CREAT | O_EXCL, 0644);
	if (fd < 0 || ftruncate(fd, SIZE) < 0) {
		perror(argv[1]);
		return 3;
	}
	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		perror("mmap");
		return 4;
	}
	memcpy(map + 4090, "by the map", 10); /* across a page's border */
	if (msync(map, SIZE, MS_SYNC) < 0) {
		perror("msync");
		return 5;
	}
	if (pread(fd, text, 10, 4090) != 10 || strcmp(text, "by the map") != 0) {
		printf("the file has '%s'\n", text);
		return 6;
	}
	printf("%s\n", text);
	return 0;
}
