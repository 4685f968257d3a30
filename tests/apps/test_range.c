#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "apps/range.h"

Suite *suite_range(void);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What a field asks of so many bytes: "first+size" for each range, "416", or "" where the whole is sent. */
static const struct {
    const char *field;
    uint64_t size;
    const char *expected;
} fields[] = {
    /* RFC 9110 section 14.1.2, of 10000 bytes */
    { "bytes=0-499", 10000, "0+500 " },
    { "bytes=500-999", 10000, "500+500 " },
    { "bytes=-500", 10000, "9500+500 " },
    { "bytes=9500-", 10000, "9500+500 " },
    { "bytes=0-0,-1", 10000, "0+1 9999+1 " },
    { "bytes= 0-999, 4500-5499, -1000", 10000, "0+1000 4500+1000 9000+1000 " },
    { "bytes=500-600,601-999", 10000, "500+500 " },
    { "bytes=500-700,601-999", 10000, "500+500 " },
    /* section 14.4 */
    { "bytes=734-1233", 1234, "734+500 " },
    { "bytes=500-1233", 1234, "500+734 " },
    { "bytes=1234-", 1234, "416" },
    { "bytes=42-1233", 1234, "42+1192 " },
    /* at the edges */
    { "bytes=0-", 1, "0+1 " },
    { "bytes=0-0", 1, "0+1 " },
    { "bytes=1-1", 1, "416" },
    { "bytes=0-99999", 10, "0+10 " },
    { "bytes=9-9", 10, "9+1 " },
    { "bytes=9-10", 10, "9+1 " },
    { "bytes=10-10", 10, "416" },
    { "bytes=-0", 10, "416" },
    { "bytes=-1", 10, "9+1 " },
    { "bytes=-10", 10, "0+10 " },
    { "bytes=-11", 10, "0+10 " },
    { "bytes=-99999999999999999999999", 10, "0+10 " },
    { "bytes=99999999999999999999999-", 10, "416" },
    { "bytes=5-99999999999999999999999", 10, "5+5 " },
    { "bytes=18446744073709551614-18446744073709551615", 10, "416" },
    { "bytes=0-18446744073709551615", UINT64_MAX, "0+18446744073709551615 " },
    { "bytes=-18446744073709551615", UINT64_MAX, "0+18446744073709551615 " },
    { "bytes=000000000000000000000000000000-0", 10, "0+1 " },
    /* of nothing */
    { "bytes=0-", 0, "416" },
    { "bytes=0-0", 0, "416" },
    { "bytes=-0", 0, "416" },
    { "bytes=-1", 0, "" },
    { "bytes=-1,0-", 0, "" },
    /* the unit */
    { "BYTES=0-0", 10, "0+1 " },
    { "Bytes=0-0", 10, "0+1 " },
    { "items=0-0", 10, "" },
    { "byte=0-0", 10, "" },
    { "bytes", 10, "" },
    { "bytes =0-0", 10, "" },
    { "", 10, "" },
    /* lists */
    { "bytes=,,0-0,, ,\t9-9,", 10, "0+10 " },
    { "bytes=0-0 , 200-200", 1000, "0+1 200+1 " },
    { "bytes=200-200,0-0", 1000, "200+1 0+1 " },
    { "bytes=5000-,0-0", 1000, "0+1 " },
    { "bytes=5000-,6000-", 1000, "416" },
    { "bytes=0-0,x", 1000, "" },
    { "bytes=0-0 1-1", 1000, "" },
    { "bytes=", 10, "" },
    { "bytes=,", 10, "" },
    /* malformed */
    { "bytes=-", 10, "" },
    { "bytes=0", 10, "" },
    { "bytes=5-4", 10, "" },
    { "bytes=500-499", 10, "" },
    { "bytes=0-0,5-4", 10, "" },
    { "bytes=+0-1", 10, "" },
    { "bytes=0--1", 10, "" },
    { "bytes=--1", 10, "" },
    { "bytes=0 -1", 10, "" },
    { "bytes=0- 1", 10, "" },
    { "bytes=0x0-0x1", 10, "" },
    { "bytes=0-1;q=1", 10, "" },
    { "bytes=0-1/10", 10, "" },
    /* joined: what overlaps, and what has no more than 80 bytes between, where the first of them was asked for */
    { "bytes=0-0,81-81", 1000, "0+82 " },
    { "bytes=0-0,82-82", 1000, "0+1 82+1 " },
    { "bytes=300-399,0-99,200-299", 1000, "200+200 0+100 " },
    { "bytes=0-0,500-500,250-250,100-400", 1000, "0+1 500+1 100+301 " },
    { "bytes=0-0,500-500,250-250,100-420", 1000, "0+1 100+401 " },
    { "bytes=0-99,200-299,400-499,50-450", 1000, "0+500 " },
    { "bytes=0-,0-,0-,0-", 1000, "0+1000 " },
    { "bytes=900-,-100", 1000, "900+100 " },
    /* as many as there may be, and one more */
    { "bytes=0-0,100-100,200-200,300-300,400-400,500-500,600-600,700-700,800-800,900-900,1000-1000,1100-1100,"
      "1200-1200,1300-1300,1400-1400,1500-1500",
      10000, "0+1 100+1 200+1 300+1 400+1 500+1 600+1 700+1 800+1 900+1 1000+1 1100+1 1200+1 1300+1 1400+1 1500+1 " },
    { "bytes=0-0,100-100,200-200,300-300,400-400,500-500,600-600,700-700,800-800,900-900,1000-1000,1100-1100,"
      "1200-1200,1300-1300,1400-1400,1500-1500,1600-1600",
      10000, "" },
    { "bytes=0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-", 10000, "" },
};

START_TEST(parses)
{
    struct range ranges[RANGES_MAX];
    char text[512] = "";
    size_t count = 0, used = 0;

    switch (ranges_parse(fields[_i].field, fields[_i].size, ranges, &count)) {
    case RANGE_SOME:
        ck_assert_uint_gt(count, 0);
        ck_assert_uint_le(count, RANGES_MAX);
        for (size_t i = 0; i < count; i++)
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%" PRIu64 "+%" PRIu64 " ", ranges[i].first,
                                     ranges[i].size);
        break;
    case RANGE_UNSATISFIABLE:
        snprintf(text, sizeof(text), "416");
        break;
    case RANGE_NONE:
        break;
    }
    ck_assert_str_eq(text, fields[_i].expected);
}
END_TEST

Suite *suite_range(void)
{
    Suite *suite = suite_create("range");
    TCase *tcase = tcase_create("range");

    tcase_add_loop_test(tcase, parses, 0, COUNT(fields));
    suite_add_tcase(suite, tcase);
    return suite;
}
