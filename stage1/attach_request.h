/*
 * What one who attaches to an app asks the supervisor for, at its socket (stage1/control.h), where it travels
 * as a plan does: PLAN frames, then READY. Pure.
 *
 * The answer is STARTED of app 0, whose value is the endpoints that the caller has now (of a list: all there
 * are), or FAILED, which says why not. The streams are app 0's; what a terminal has goes as stdin and stdout.
 * The last word is the app's own, or FAILED: the supervisor has let go of a caller that does not read.
 */
#ifndef STAGE1_ATTACH_REQUEST_H
#define STAGE1_ATTACH_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "stage1/common/err.h"
#include "stage1/plan/streams.h"

enum { /* instead of endpoints */
	ATTACH_LIST = 1 << 30, /* which there are */
	ATTACH_AUTO = 1 << 29, /* all there are */
};

enum { ATTACH_NAME_MAX = 255, ATTACH_REQUEST_MAX = 4 + ATTACH_NAME_MAX };

struct attach_request {
	uint32_t endpoints; /* enum endpoint, or one of the above */
	char app[ATTACH_NAME_MAX + 1];
};

int attach_request_encode(uint32_t endpoints, const char *app, uint8_t buf_r[ATTACH_REQUEST_MAX], size_t *len_r,
	struct err *e);
int attach_request_decode(const uint8_t *buf, size_t len, struct attach_request *req_r, struct err *e);

/* "stdin, stdout", for messages; "none". */
#define ENDPOINTS_TEXT_MAX 48
void endpoints_text(uint32_t endpoints, char text_r[ENDPOINTS_TEXT_MAX]);

#endif
