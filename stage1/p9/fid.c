/* See fid.h. */
#include "stage1/p9/fid.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TABLE_MIN = 64 };

static size_t hash(const struct fids *f, uint32_t number)
{
	uint32_t h = number * 0x9e3779b1u;

	return (h ^ h >> 15) & (f->size - 1);
}

static struct fid **slot(struct fids *f, uint32_t number)
{
	struct fid **p = &f->table[hash(f, number)];

	while (*p && (*p)->number != number)
		p = &(*p)->next;
	return p;
}

static void grow(struct fids *f)
{
	struct fid **old = f->table, **table;
	size_t size = f->size;

	if (f->count < size)
		return;
	table = calloc(size * 2, sizeof(struct fid *));
	if (!table)
		return; /* slower, not wrong */
	f->table = table;
	f->size = size * 2;
	for (size_t i = 0; i < size; i++)
		while (old[i]) {
			struct fid *fid = old[i];
			size_t h = hash(f, fid->number);

			old[i] = fid->next;
			fid->next = table[h];
			table[h] = fid;
		}
	free(old);
}

int fids_init(struct fids *f, struct tree *tree, size_t max, size_t max_open, size_t max_xattr)
{
	*f = (struct fids){ .lock = PTHREAD_MUTEX_INITIALIZER, .size = TABLE_MIN, .max = max,
		.max_open = max_open, .max_xattr_bytes = max_xattr, .tree = tree };
	f->table = calloc(f->size, sizeof(struct fid *));
	return f->table ? 0 : -ENOMEM;
}

/* Nobody holds it any more. */
static void dispose(struct fids *f, struct fid *fid)
{
	if (fid->fd >= 0)
		(void)close(fid->fd);
	if (fid->fd >= 0 || fid->xattr) {
		(void)pthread_mutex_lock(&f->lock);
		f->open -= fid->fd >= 0;
		f->xattr_bytes -= fid->xattr ? fid->xattr_size : 0;
		(void)pthread_mutex_unlock(&f->lock);
	}
	node_put(f->tree, fid->node);
	free(fid->xattr_name);
	free(fid->xattr);
	free(fid);
}

void fid_put(struct fids *f, struct fid *fid)
{
	bool last;

	if (!fid)
		return;
	(void)pthread_mutex_lock(&f->lock);
	last = --fid->refs == 0;
	(void)pthread_mutex_unlock(&f->lock);
	if (last)
		dispose(f, fid);
}

struct fid *fid_get(struct fids *f, uint32_t number)
{
	struct fid *fid;

	(void)pthread_mutex_lock(&f->lock);
	fid = *slot(f, number);
	if (fid)
		fid->refs++;
	(void)pthread_mutex_unlock(&f->lock);
	return fid;
}

struct fid *fid_take(struct fids *f, uint32_t number)
{
	struct fid **p, *fid;

	(void)pthread_mutex_lock(&f->lock);
	p = slot(f, number);
	fid = *p;
	if (fid) {
		*p = fid->next;
		f->count--;
	}
	(void)pthread_mutex_unlock(&f->lock);
	return fid;
}

void fids_clear(struct fids *f)
{
	for (size_t i = 0; i < f->size; i++)
		for (;;) {
			struct fid *fid;

			(void)pthread_mutex_lock(&f->lock);
			fid = i < f->size ? f->table[i] : NULL;
			if (fid) {
				f->table[i] = fid->next;
				f->count--;
			}
			(void)pthread_mutex_unlock(&f->lock);
			if (!fid)
				break;
			fid_put(f, fid);
		}
}

void fids_dispose(struct fids *f)
{
	fids_clear(f);
	free(f->table);
	f->table = NULL;
}

int fid_new(struct fids *f, uint32_t number, struct node *node, uint32_t uid, struct fid **fid_r)
{
	struct fid *fid = calloc(1, sizeof(*fid)), **p;
	int ret = 0;

	if (!fid) {
		node_put(f->tree, node);
		return -ENOMEM;
	}
	*fid = (struct fid){ .number = number, .refs = 2, .node = node, .uid = uid, .fd = -1 };
	(void)pthread_mutex_lock(&f->lock);
	grow(f);
	p = slot(f, number);
	if (*p)
		ret = -EEXIST;
	else if (f->count >= f->max)
		ret = -ENFILE;
	if (ret == 0) {
		*p = fid;
		f->count++;
	}
	(void)pthread_mutex_unlock(&f->lock);
	if (ret < 0)
		dispose(f, fid);
	else
		*fid_r = fid;
	return ret;
}

struct node *fid_node(struct fids *f, struct fid *fid)
{
	struct node *node;

	(void)pthread_mutex_lock(&f->lock);
	node = node_ref(f->tree, fid->node);
	(void)pthread_mutex_unlock(&f->lock);
	return node;
}

int fid_move(struct fids *f, struct fid *fid, struct node *node)
{
	struct node *old = node;
	int ret = -EBUSY;

	(void)pthread_mutex_lock(&f->lock);
	if (fid->fd < 0 && fid->kind == FID_FILE) {
		old = fid->node;
		fid->node = node;
		ret = 0;
	}
	(void)pthread_mutex_unlock(&f->lock);
	node_put(f->tree, old);
	return ret;
}

int fid_opened(struct fids *f, struct fid *fid, int fd, struct node *node)
{
	struct node *old = node;
	int ret = -EBUSY;

	(void)pthread_mutex_lock(&f->lock);
	if (fid->fd < 0 && fid->kind == FID_FILE) {
		__atomic_store_n(&fid->fd, fd, __ATOMIC_RELEASE);
		f->open++;
		if (node) {
			old = fid->node;
			fid->node = node;
		}
		ret = 0;
	}
	(void)pthread_mutex_unlock(&f->lock);
	if (ret < 0)
		(void)close(fd);
	if (old)
		node_put(f->tree, old);
	return ret;
}

bool fid_may_open(struct fids *f)
{
	bool may;

	(void)pthread_mutex_lock(&f->lock);
	may = f->open < f->max_open;
	(void)pthread_mutex_unlock(&f->lock);
	return may;
}

int fid_xattr(struct fids *f, struct fid *fid, enum fid_kind kind, size_t size, const char *value)
{
	char *copy = calloc(1, size ? size : 1);
	int ret = 0;

	if (!copy)
		return -ENOMEM;
	if (value)
		memcpy(copy, value, size);
	(void)pthread_mutex_lock(&f->lock);
	if (fid->fd >= 0 || fid->kind != FID_FILE)
		ret = -EBUSY;
	else if (size > f->max_xattr_bytes - f->xattr_bytes)
		ret = -ENOSPC;
	if (ret == 0) {
		f->xattr_bytes += size;
		fid->xattr = copy;
		fid->xattr_size = size;
		__atomic_store_n(&fid->kind, kind, __ATOMIC_RELEASE);
		copy = NULL;
	}
	(void)pthread_mutex_unlock(&f->lock);
	free(copy);
	return ret;
}
