/* Keys and signatures, armored or not. */
#include "stage0/pgp.h"
#include "stage1/common/util.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const kinds[] = { "PUBLIC KEY BLOCK", "SIGNATURE" };
	char fingerprint[PGP_FINGERPRINT_LEN + 1];

	for (size_t i = 0; i < COUNT(kinds); i++) {
		AUTO_FREE uint8_t *bytes = NULL;
		struct err e = ERR_INIT;
		size_t len, key_len;

		if (pgp_read((const char *)data, size, kinds[i], &bytes, &len, &e) < 0) {
			MUST(*e.msg);
			continue;
		}
		MUST(len <= size);
		if (pgp_first_key(bytes, len, &key_len, fingerprint, &e) == 0)
			MUST(key_len > 0 && key_len <= len && strlen(fingerprint) == PGP_FINGERPRINT_LEN);
		e = (struct err)ERR_INIT;
		if (pgp_only_signatures(bytes, len, &e) == 0)
			MUST(len > 0);
		must_be_harmless(e.msg);
	}
	return 0;
}
