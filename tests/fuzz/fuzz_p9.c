/*
 * A hostile guest's messages against the 9p server on a scratch directory. The input is messages: two
 * bytes of length, then what is sent, whose size is set right unless the length is odd.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/p9/scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t msg[70000];
	struct client *c = scratch_begin();

	for (int i = 0; i < 200 && size >= 2 + P9_HEAD; i++) {
		size_t len = (size_t)(data[0] | data[1] << 8), n;
		bool lie = len & 1;

		data += 2;
		size -= 2;
		n = len / 2 < size ? len / 2 : size;
		n = n < P9_HEAD ? P9_HEAD : n;
		memcpy(msg, data, n);
		data += n;
		size -= n;
		if (!lie)
			for (int k = 0; k < 4; k++)
				msg[k] = (uint8_t)(n >> 8 * k);
		(void)client_send(c, msg, n);
	}
	scratch_check();
	scratch_end();
	return 0;
}
