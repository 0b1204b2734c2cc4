/* See diagnose.h. */
#include "init/diagnose.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stage1/common/util.h"

enum { SEGMENTS_MAX = 64, SCRIPT_MAX = 256 /* bytes the kernel looks at: BINPRM_BUF_SIZE */ };

/* A path of at most size - 1 bytes, that ends in a NUL there. */
static bool read_path(int fd, uint64_t at, uint64_t len, char *path, size_t size)
{
	if (len == 0 || len > size || at > INT64_MAX || pread(fd, path, len, (off_t)at) != (ssize_t)len)
		return false;
	return path[len - 1] == '\0' && path[0] != '\0';
}

static bool interpreter_of_elf(int fd, const Elf64_Ehdr *head, char *path, size_t size)
{
	for (unsigned i = 0; i < head->e_phnum && i < SEGMENTS_MAX; i++) {
		Elf64_Phdr segment;
		uint64_t at = head->e_phoff + (uint64_t)i * sizeof(segment);

		if (at > INT64_MAX || pread(fd, &segment, sizeof(segment), (off_t)at) != (ssize_t)sizeof(segment))
			return false;
		if (segment.p_type == PT_INTERP)
			return read_path(fd, segment.p_offset, segment.p_filesz, path, size);
	}
	return false;
}

static bool interpreter_of_script(char *line, char *path, size_t size)
{
	char *word = line + strspn(line, " \t");

	word[strcspn(word, " \t\n")] = '\0';
	return *word && snprintf(path, size, "%s", word) < (int)size;
}

bool diagnose_interpreter(const char *program, char *missing, size_t size)
{
	AUTO_CLOSE int fd = open(program, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	union {
		Elf64_Ehdr elf;
		char text[SCRIPT_MAX + 1];
	} head = { .text = "" };
	ssize_t n = fd < 0 ? -1 : pread(fd, head.text, SCRIPT_MAX, 0);
	bool found = false;

	if (n < 2)
		return false;
	head.text[n] = '\0';
	if (head.text[0] == '#' && head.text[1] == '!')
		found = interpreter_of_script(head.text + 2, missing, size);
	else if (n >= (ssize_t)sizeof(head.elf) && !memcmp(head.elf.e_ident, ELFMAG, SELFMAG) &&
		head.elf.e_ident[EI_CLASS] == ELFCLASS64 && head.elf.e_phentsize == sizeof(Elf64_Phdr))
		found = interpreter_of_elf(fd, &head.elf, missing, size);
	return found && access(missing, F_OK) < 0 && errno == ENOENT;
}
