/* OpenPGP as far as a keystore reads it, and what is made of gpgv's words. With real keys: test_signatures.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "stage0/pgp.h"
#include "stage0/signature.h"
#include "stage1/common/util.h"

static void takes_armor_off(void **state)
{
	static const struct { const char *text, *data, *msg; } rows[] = {
		{ "-----BEGIN PGP SIGNATURE-----\n\nYWJj\n=abcd\n-----END PGP SIGNATURE-----\n", "abc", NULL },
		{ "-----BEGIN PGP SIGNATURE-----\r\nVersion: x\r\nComment: y\r\n\r\nYW\r\nJjZA==\r\n=abcd\r\n", "abcd",
			NULL },
		{ "text\n-----BEGIN PGP SIGNATURE-----\n\nYWJjZGU=\n", "abcde", NULL },
		{ "-----BEGIN PGP SIGNATURE-----\n\n", "", NULL },
		{ "\x88\x01x", "\x88\x01x", NULL },
		{ "", NULL, "no PGP SIGNATURE in it" },
		{ "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nYWJj\n", NULL, "no PGP SIGNATURE in it" },
		{ "-----BEGIN PGP SIGNATURE-----", NULL, "damaged armor" },
		{ "-----BEGIN PGP SIGNATURE-----\n", NULL, "damaged armor" },
		{ "-----BEGIN PGP SIGNATURE-----\n ", NULL, "damaged armor" },
		{ "-----BEGIN PGP SIGNATURE-----\nA: b\n \t\nYWJj", "abc", NULL },
		{ "-----BEGIN PGP SIGNATURE-----\nYWJj\n", NULL, "damaged armor" },
		{ "-----BEGIN PGP SIGNATURE-----\n\nYWJjZ\n", NULL, "damaged armor" },
		{ "-----BEGIN PGP SIGNATURE-----\n\nYW*j\n", NULL, "damaged armor" },
		{ "-----BEGIN PGP SIGNATURE-----\n\nYW==Jj\n", NULL, "damaged armor" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_FREE uint8_t *data = NULL;
		struct err e = ERR_INIT;
		size_t len;
		size_t size = strlen(rows[i].text);
		AUTO_FREE char *exact = memcpy(xmalloc(size + !size), rows[i].text, size); /* for the sanitizer */
		int ret = pgp_read(exact, size, "SIGNATURE", &data, &len, &e);

		print_message("# row %zu\n", i);
		assert_int_equal(ret, rows[i].data ? 0 : -1);
		assert_string_equal(e.msg, rows[i].data ? "" : rows[i].msg);
		if (rows[i].data) {
			assert_int_equal(len, strlen(rows[i].data));
			assert_memory_equal(data, rows[i].data, len);
		}
	}
}

#define B(s) { (const uint8_t *)(s), sizeof(s) - 1 }
struct bytes { const uint8_t *p; size_t len; };

static void knows_signatures(void **state)
{
	static const struct { struct bytes in; const char *msg; } rows[] = {
		{ B("\x88\x01x"), NULL },
		{ B("\xc2\x01x"), NULL },                     /* a new header */
		{ B("\x88\x01x\x89\x00\x01x"), NULL },        /* two */
		{ B("\x8a\x00\x00\x00\x01x"), NULL },
		{ B("\xc2\xff\x00\x00\x00\x01x"), NULL },
		{ B(""), "not OpenPGP" },
		{ B("\x88"), "not OpenPGP" },
		{ B("hello"), "not a detached signature" },
		{ B("\x88\x02x"), "ends too early" },
		{ B("\x8a\xff\xff\xff\xffx"), "ends too early" },
		{ B("\xc2\xff\xff\xff\xff\xffx"), "ends too early" },
		{ B("\x8b\x01x"), "not OpenPGP that is known here" }, /* of unknown length */
		{ B("\xc2\xe1x"), "not OpenPGP that is known here" }, /* in parts */
		{ B("\x8a\x00\x00"), "not OpenPGP that is known here" },
		{ B("\x88\x01x\xcb\x01x"), "not a detached signature" }, /* and a file */
		{ B("\xa3\x01x"), "not a detached signature" },
		{ B("\x88\x01x\x99"), "not a detached signature" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_FREE uint8_t *exact = xmalloc(rows[i].in.len + !rows[i].in.len);
		struct err e = ERR_INIT;

		memcpy(exact, rows[i].in.p, rows[i].in.len); /* for the sanitizer */
		print_message("# row %zu\n", i);
		assert_int_equal(pgp_only_signatures(exact, rows[i].in.len, &e), rows[i].msg ? -1 : 0);
		assert_string_equal(e.msg, rows[i].msg ? rows[i].msg : "");
	}
}

static void finds_the_first_key(void **state)
{
	static const struct { struct bytes in; size_t len; const char *msg; } rows[] = {
		{ B("\x98\x01\x04"), 3, NULL },
		{ B("\x98\x01\x04\xb4\x01u\x88\x01s"), 9, NULL },
		{ B("\x98\x01\x04\xb4\x01u\x98\x01\x04\xb4\x01v"), 6, NULL }, /* not the other one's */
		{ B("\x98\x01\x03"), 0, "a public key of a version that is not known here" },
		{ B("\x98\x00"), 0, "a public key of a version that is not known here" },
		{ B("\x94\x01\x04"), 0, "not a public key" }, /* a secret one */
		{ B("\x98\x01\x04\xb4\x02u"), 0, "ends too early" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char fingerprint[PGP_FINGERPRINT_LEN + 1] = "";
		struct err e = ERR_INIT;
		size_t len = 0;

		print_message("# row %zu\n", i);
		assert_int_equal(pgp_first_key(rows[i].in.p, rows[i].in.len, &len, fingerprint, &e),
			rows[i].msg ? -1 : 0);
		assert_string_equal(e.msg, rows[i].msg ? rows[i].msg : "");
		if (rows[i].msg)
			continue;
		assert_int_equal(len, rows[i].len);
		/* printf '\x99\x00\x01\x04' | sha1sum */
		assert_string_equal(fingerprint, "9bda2648851c894a02ce41912c50baac82f15f8c");
	}
}

static void judges_what_gpgv_says(void **state)
{
	static const char good[] = "[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG 12 me\n[GNUPG:] VALIDSIG ab\n";
	static const struct { const char *status; int exit; const char *msg; } rows[] = {
		{ good, 0, NULL },
		{ "[GNUPG:] ERRSIG 34\n[GNUPG:] NO_PUBKEY 34\n[GNUPG:] GOODSIG 12 me\n[GNUPG:] VALIDSIG ab\n", 2, NULL },
		{ "", 0, "none that gpgv understands (its exit status is 0)" },
		{ "", 127, "no gpgv to check it with: apt-get install gpgv" },
		{ good, 127, "no gpgv to check it with: apt-get install gpgv" },
		{ "[GNUPG:] GOODSIG 12 me\n", 0, "none that gpgv understands (its exit status is 0)" },
		{ "[GNUPG:] VALIDSIG ab\n", 0, "none that gpgv understands (its exit status is 0)" },
		{ "x [GNUPG:] GOODSIG 12\n[GNUPG:] VALIDSIG ab\n", 0, "none that gpgv understands (its exit status is 0)" },
		{ "[GNUPG:] GOODSIGNATURE\n[GNUPG:] VALIDSIG ab\n", 0, "none that gpgv understands (its exit status is 0)" },
		{ "[GNUPG:] BADSIG 12 me\n", 1, "not of this file: one of the two was changed" },
		{ "[GNUPG:] GOODSIG 12 me\n[GNUPG:] VALIDSIG ab\n[GNUPG:] BADSIG 12 me\n", 1,
			"not of this file: one of the two was changed" },
		{ "[GNUPG:] EXPKEYSIG 12 me\n[GNUPG:] VALIDSIG ab\n", 0, "by a key that has expired" },
		{ "[GNUPG:] REVKEYSIG 12 me\n[GNUPG:] VALIDSIG ab\n", 0, "by a key that was revoked" },
		{ "[GNUPG:] EXPSIG 12 me\n[GNUPG:] VALIDSIG ab\n", 0, "one that has expired" },
		{ "[GNUPG:] ERRSIG 34\n[GNUPG:] NO_PUBKEY 34\n", 2, "by a key that is not trusted" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e = ERR_INIT;

		print_message("# row %zu\n", i);
		assert_int_equal(signature_judge(rows[i].status, rows[i].exit, &e), rows[i].msg ? -1 : 0);
		assert_string_equal(e.msg, rows[i].msg ? rows[i].msg : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_armor_off),
		cmocka_unit_test(knows_signatures),
		cmocka_unit_test(finds_the_first_key),
		cmocka_unit_test(judges_what_gpgv_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
