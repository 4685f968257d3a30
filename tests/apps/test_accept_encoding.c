#include <check.h>

#include "apps/accept_encoding.h"

Suite *suite_accept_encoding(void);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NONE         ENCODING_IDENTITY
#define GZIP         ENCODING_GZIP
#define BR           ENCODING_BR

/* What a client gets where both are there, and where only the gzip is. */
static const struct {
    const char *line; /* NULL: no field */
    enum encoding of_both, of_gzip;
} lines[] = {
    { NULL, NONE, NONE },
    { "", NONE, NONE },
    { "gzip, deflate, br, zstd", BR, GZIP },
    { "gzip, deflate", GZIP, GZIP },
    { "br", BR, NONE },
    { "deflate", NONE, NONE },
    { "GZIP, BR", BR, GZIP },
    { "x-gzip", GZIP, GZIP },
    { "*", BR, GZIP },
    { "*;q=0", NONE, NONE },
    { "*;q=0, gzip", GZIP, GZIP },
    { "gzip;q=0, *", BR, NONE },
    { "br;q=0, *;q=0.5", GZIP, GZIP },
    { "identity", NONE, NONE },
    { "identity;q=1, *;q=0", NONE, NONE },
    { "identity;q=0", NONE, NONE },
    { "identity;q=0, gzip;q=0.001", GZIP, GZIP },
    { "identity, gzip", GZIP, GZIP },
    { "identity;q=0.5, gzip;q=0.4", NONE, NONE },
    { "identity;q=0.4, gzip;q=0.5", GZIP, GZIP },
    { "br;q=0.5, gzip", GZIP, GZIP },
    { "br;q=0.5, gzip;q=0.5", BR, GZIP },
    { "br;q=0.499, gzip;q=0.5", GZIP, GZIP },
    { "gzip;q=0", NONE, NONE },
    { "gzip;q=0.0", NONE, NONE },
    { "gzip;q=0.000", NONE, NONE },
    { "gzip;q=0.001", GZIP, GZIP },
    { "gzip;Q=1.000", GZIP, GZIP },
    { "gzip ; q=0.5 , br ; q=0.6", BR, GZIP },
    { "compress;q=0.5, gzip;q=1.0", GZIP, GZIP },
    { "gzip;q=1.0, identity; q=0.5, *;q=0", GZIP, GZIP },
    /* junk is passed over, and never preferred */
    { ",,,gzip,,", GZIP, GZIP },
    { "gzip;q=", NONE, NONE },
    { "gzip;q=x", NONE, NONE },
    { "gzip;q=2", NONE, NONE },
    { "gzip;q=1.001", NONE, NONE },
    { "gzip;q=-1", NONE, NONE },
    { "gzip;q=0.5x", NONE, NONE },
    { "gzip;q=0.1234", NONE, NONE },
    { "gzip;level=9", NONE, NONE },
    { "gzip q=1", NONE, NONE },
    { "gzipx, xgzip, gzi", NONE, NONE },
    { ";q=1, gzip", GZIP, GZIP },
    { "junk;;;===, gzip", GZIP, GZIP },
};

START_TEST(chooses)
{
    static const bool both[ENCODING_COUNT] = { true, true, true }, gzip[ENCODING_COUNT] = { true, true, false };
    static const bool neither[ENCODING_COUNT] = { true, false, false };
    struct encodings encodings;

    encodings_init(&encodings);
    if (lines[_i].line)
        encodings_take(&encodings, lines[_i].line);
    ck_assert_int_eq(encodings_choose(&encodings, both), lines[_i].of_both);
    ck_assert_int_eq(encodings_choose(&encodings, gzip), lines[_i].of_gzip);
    ck_assert_int_eq(encodings_choose(&encodings, neither), NONE);
}
END_TEST

START_TEST(takes_several_lines)
{
    static const bool both[ENCODING_COUNT] = { true, true, true };
    struct encodings encodings;

    encodings_init(&encodings);
    encodings_take(&encodings, "gzip");
    encodings_take(&encodings, "br;q=0.5");
    ck_assert_int_eq(encodings_choose(&encodings, both), GZIP);
}
END_TEST

Suite *suite_accept_encoding(void)
{
    Suite *suite = suite_create("accept_encoding");
    TCase *tcase = tcase_create("accept_encoding");

    tcase_add_loop_test(tcase, chooses, 0, COUNT(lines));
    tcase_add_test(tcase, takes_several_lines);
    suite_add_tcase(suite, tcase);
    return suite;
}
