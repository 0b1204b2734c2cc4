/* See keystore.h. */
#include "stage0/keystore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "stage1/common/util.h"

enum { KEY_MAX = 1 << 20, KEYS_MAX = 1000 };

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int parse_key(const char *text, size_t len, struct trusted_key *key_r, struct err *e)
{
	struct trusted_key key = { .data = NULL };
	AUTO_FREE uint8_t *data = NULL;

	if (pgp_read(text, len, "PUBLIC KEY BLOCK", &data, &len, e) < 0 ||
		pgp_first_key(data, len, &key.len, key.fingerprint, e) < 0)
		return -1;
	key.data = STEAL(data);
	*key_r = key;
	return 0;
}

static struct trusted_key *find(struct keyring *ring, const char *fingerprint)
{
	for (size_t i = 0; i < ring->n; i++)
		if (!strcmp(ring->keys[i].fingerprint, fingerprint))
			return &ring->keys[i];
	return NULL;
}

static void take_away(struct keyring *ring, const char *fingerprint)
{
	struct trusted_key *key = find(ring, fingerprint);

	if (!key)
		return;
	free(key->data);
	*key = ring->keys[--ring->n];
}

static int add_file(struct keyring *ring, int dir, const char *name, struct err *e)
{
	AUTO_FREE char *text = NULL;
	struct trusted_key key;
	struct stat st;
	size_t len;

	if (fstatat(dir, name, &st, 0) < 0)
		return err_sys(e, "open");
	if (S_ISDIR(st.st_mode))
		return 0;
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT, "not a regular file");
	if (st.st_size == 0) {
		take_away(ring, name);
		return 0;
	}
	if (read_file_at(dir, name, KEY_MAX, &text, &len, e) < 0 || parse_key(text, len, &key, e) < 0)
		return -1;
	if (strcmp(key.fingerprint, name) != 0) {
		free(key.data);
		return err_set(e, ERR_INPUT, "the key in it has the fingerprint %s", key.fingerprint);
	}
	take_away(ring, name);
	if (ring->n == KEYS_MAX) {
		free(key.data);
		return err_set(e, ERR_INPUT, "more than %d keys", KEYS_MAX);
	}
	ring->keys = xrealloc(ring->keys, ring->n + 1, sizeof(*ring->keys));
	ring->keys[ring->n++] = key;
	return 0;
}

static int add_dir(struct keyring *ring, const char *path, struct err *e)
{
	AUTO_CLOSE int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent **list;
	int n, ret = 0;

	if (dir < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(e, "open %s", path);
	n = scandirat(dir, ".", &list, NULL, by_name);
	if (n < 0)
		return err_sys(e, "read %s", path);
	for (int i = 0; i < n; i++) {
		if (ret == 0 && list[i]->d_name[0] != '.' && add_file(ring, dir, list[i]->d_name, e) < 0)
			ret = err_prefix(e, "%s/%s", path, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	return ret;
}

/* prefix.d/a, prefix.d/a/b, prefix.d/a/b/c of "a/b/c" */
static int add_prefixes(struct keyring *ring, const char *config, const char *name, struct err *e)
{
	size_t len = strcspn(name, "/");

	for (;; len += 1 + strcspn(name + len + 1, "/")) {
		AUTO_FREE char *path = xasprintf("%s/trustedkeys/prefix.d/%.*s", config, (int)len, name);

		if (add_dir(ring, path, e) < 0)
			return -1;
		if (!name[len])
			return 0;
	}
}

int keyring_load(const char *system, const char *local, const char *name, struct keyring *ring_r,
	struct err *e)
{
	AUTO_FREE char *system_root = xasprintf("%s/trustedkeys/root.d", system);
	AUTO_FREE char *local_root = xasprintf("%s/trustedkeys/root.d", local);
	struct keyring ring = KEYRING_INIT;

	if (add_dir(&ring, system_root, e) < 0 || add_dir(&ring, local_root, e) < 0 ||
		add_prefixes(&ring, system, name, e) < 0 || add_prefixes(&ring, local, name, e) < 0) {
		keyring_dispose(&ring);
		return -1;
	}
	*ring_r = ring;
	return 0;
}

void keyring_dispose(struct keyring *ring)
{
	for (size_t i = 0; i < ring->n; i++)
		free(ring->keys[i].data);
	free(ring->keys);
	*ring = (struct keyring)KEYRING_INIT;
}

static int make_dirs(const char *path, struct err *e)
{
	AUTO_FREE char *buf = xstrdup(path);

	for (char *slash = strchr(buf + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(buf, 0755) < 0 && errno != EEXIST)
			return err_sys(e, "create directory %s", buf);
		if (!slash)
			return 0;
		*slash = '/';
	}
}

/* Half written it lies where nobody looks for keys: one who is killed, or beside a run, spoils no other key. */
static int place(const char *local, const char *path, const char *text, size_t len, struct err *e)
{
	AUTO_FREE char *tmp = xasprintf("%s/trustedkeys/new-XXXXXX", local);
	AUTO_CLOSE int fd = mkostemp(tmp, O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "create %s", tmp);
	if (fchmod(fd, 0644) < 0 || write_all(fd, text, len) < 0 || rename(tmp, path) < 0) {
		(void)err_sys(e, "write %s", path);
		(void)unlink(tmp);
		return -1;
	}
	return 0;
}

/* As it is, and armored: rkt reads no other. */
int keystore_add(const char *local, const char *prefix, const char *file, char **path_r, struct err *e)
{
	AUTO_FREE char *dir = prefix ? xasprintf("%s/trustedkeys/prefix.d/%s", local, prefix) :
		xasprintf("%s/trustedkeys/root.d", local);
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *text = NULL;
	struct trusted_key key;
	size_t len;

	if (read_file_at(AT_FDCWD, file, KEY_MAX, &text, &len, e) < 0 || parse_key(text, len, &key, e) < 0)
		return err_prefix(e, "key %s", file);
	free(key.data);
	if (text[0] & 0x80)
		return err_set(e, ERR_INPUT, "key %s: not armored: export it with gpg --armor", file);
	path = xasprintf("%s/%s", dir, key.fingerprint);
	if (make_dirs(dir, e) < 0 || place(local, path, text, len, e) < 0)
		return -1;
	*path_r = STEAL(path);
	return 0;
}
