/*
 * Xen's 9pfs transport (xen/include/public/io/9pfs.h): rings of bytes in the guest's memory, requests
 * one way, replies the other. Everything there may change at any time: indices are read once, checked,
 * and otherwise kept here; a request is copied before it is looked at, but for the data of a Twrite,
 * which the kernel copies from the ring to the file.
 *
 * Each ring has a few threads. One of them at a time waits for requests and serves them; before an
 * operation that may take long it lets another take its place.
 */
#ifndef STAGE1_P9_RING_H
#define STAGE1_P9_RING_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <xenevtchn.h>

#include "stage1/p9/server.h"

struct xen_9pfs_data_intf;

enum {
	RINGS_MAX = 2,        /* of a device: what Linux uses */
	RING_ORDER_MAX = 9,   /* 2 MiB: half for each direction */
	RING_THREADS = 4,
	FLUSHES_MAX = 64,     /* waiting; what is beyond is answered at once */
};

struct rings;

struct ring {
	struct rings *all;
	struct xen_9pfs_data_intf *intf;
	uint8_t *in, *out; /* replies; requests. Each `size` bytes, a power of 2 */
	uint32_t size;
	xenevtchn_handle *evtchn;
	uint32_t port;
	pthread_mutex_t leader; /* held by the thread that takes requests and waits for events */
	uint32_t out_cons;      /* the leader's: up to where requests have been taken */
	uint32_t taken;         /* the same, for others, under all->flight */
	pthread_mutex_t reply;  /* held by the thread that writes a reply */
	pthread_cond_t space;
	unsigned waiters;       /* for space */
	uint32_t in_prod;       /* up to where replies have been written */
};

struct flight { /* a thread's request, until it is answered */
	bool busy;
	uint16_t tag;
};

struct flush {
	uint16_t tag, oldtag;
	struct ring *ring;
	uint32_t until[RINGS_MAX]; /* requests that came before it */
};

struct rings {
	struct p9_server *server;
	struct ring ring[RINGS_MAX];
	unsigned n;
	pthread_mutex_t flight;
	struct flight flights[RINGS_MAX * RING_THREADS];
	unsigned nflights;
	struct flush flushes[FLUSHES_MAX];
	unsigned nflushes;
	/* The guest broke the protocol: called by the thread that saw it. Must not return. */
	__attribute__((noreturn)) void (*broken)(const char *what);
};

/* Begins to serve: starts the threads, which live as long as the process. -errno. */
int rings_start(struct rings *r);

#endif
