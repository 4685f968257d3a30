#include <check.h>
#include <stdio.h>
#include <string.h>

#include "apps/conditional.h"

Suite *suite_conditional(void);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- Every combination ---------------------------------------------------------------------------------------- */

/* What a field says. Of the dates, "match" is the file's own, and "other" an earlier one. */
enum state { ABSENT, MATCH, OTHER, MALFORMED, STATES };

#define TAG      "\"now\""
#define MODIFIED 784111777
#define DATE     "Sun, 06 Nov 1994 08:49:37 GMT"
#define EARLIER  "Sun, 06 Nov 1994 08:49:36 GMT"
#define LATER    "Sun, 06 Nov 1994 08:49:38 GMT"

static const char *const tags[STATES] = { NULL, TAG, "\"then\"", "now" };
static const char *const dates[STATES] = { NULL, DATE, EARLIER, "06.11.1994" };

struct combination {
    enum state match, unmodified_since, none_match, modified_since, if_range;
    bool get, range;
};

#define COMBINATIONS (STATES * STATES * STATES * STATES * STATES * 2 * 2)

static struct combination combination_of(unsigned int number)
{
    struct combination result;
    enum state *states[] = { &result.match, &result.unmodified_since, &result.none_match, &result.modified_since,
                             &result.if_range };

    for (size_t i = 0; i < COUNT(states); i++, number /= STATES)
        *states[i] = (enum state)(number % STATES);
    result.get = number & 1;
    result.range = number & 2;
    return result;
}

/* RFC 9110 section 13.2.2, step by step, as it stands there. */
static enum condition_result expected(const struct combination *is)
{
    if (is->match != ABSENT) {
        if (is->match != MATCH)
            return CONDITION_FAILED;
    } else if (is->unmodified_since == OTHER)
        return CONDITION_FAILED;
    if (is->none_match != ABSENT) {
        if (is->none_match == MATCH)
            return CONDITION_NOT_MODIFIED;
    } else if (is->modified_since == MATCH)
        return CONDITION_NOT_MODIFIED;
    if (is->get && is->range && (is->if_range == ABSENT || is->if_range == MATCH))
        return CONDITION_PASSED;
    return CONDITION_WHOLE;
}

static void take(struct conditions *conditions, const char *name, const char *value)
{
    if (value)
        conditions_take(conditions, name, value);
}

START_TEST(every_combination)
{
    static const struct validators validators = { .tag = TAG, .dated = true, .modified = MODIFIED, .now = 1792000000 };
    unsigned int seen[4] = { 0 };

    for (unsigned int i = 0; i < COMBINATIONS; i++) {
        struct combination is = combination_of(i);
        struct conditions conditions = { .match.count = 0 };
        enum condition_result result;

        take(&conditions, "if-match", tags[is.match]);
        take(&conditions, "If-Unmodified-Since", dates[is.unmodified_since]);
        take(&conditions, "IF-NONE-MATCH", tags[is.none_match]);
        take(&conditions, "If-Modified-Since", dates[is.modified_since]);
        take(&conditions, "If-Range", _i == 0 ? tags[is.if_range] : dates[is.if_range]);
        take(&conditions, "Range", is.range ? "bytes=0-1" : NULL);
        result = conditions_check(&conditions, &validators, is.get);
        ck_assert_msg(result == expected(&is),
                      "If-Match %d, If-Unmodified-Since %d, If-None-Match %d, If-Modified-Since %d, If-Range %d, "
                      "Range %d, GET %d: %d instead of %d",
                      is.match, is.unmodified_since, is.none_match, is.modified_since, is.if_range, is.range, is.get,
                      result, expected(&is));
        seen[result]++;
    }
    for (size_t i = 0; i < COUNT(seen); i++)
        ck_assert_uint_gt(seen[i], 0);
}
END_TEST

/* ---- Single cases --------------------------------------------------------------------------------------------- */

/* Of a file with TAG and DATE (or as said), by GET with a Range. */
static const struct {
    const char *name, *value, *tag; /* NULL: TAG */
    bool undated;
    enum condition_result result;
} cases[] = {
    { "Host", "x", NULL, false, CONDITION_PASSED },
    { "If", "x", NULL, false, CONDITION_PASSED },
    { "If-Matches", "x", NULL, false, CONDITION_PASSED },
    /* any */
    { "If-Match", "*", NULL, false, CONDITION_PASSED },
    { "If-Match", "*", "W/\"now\"", false, CONDITION_PASSED },
    { "If-None-Match", "*", NULL, false, CONDITION_NOT_MODIFIED },
    { "If-None-Match", "*", "W/\"now\"", false, CONDITION_NOT_MODIFIED },
    { "If-Match", "*, " TAG, NULL, false, CONDITION_FAILED },
    { "If-Match", "", NULL, false, CONDITION_FAILED },
    { "If-None-Match", "", NULL, false, CONDITION_PASSED },
    { "If-None-Match", "\"*\"", NULL, false, CONDITION_PASSED },
    /* lists */
    { "If-Match", "\"then\", " TAG, NULL, false, CONDITION_PASSED },
    { "If-None-Match", "\"then\", " TAG, NULL, false, CONDITION_NOT_MODIFIED },
    { "If-Match", "junk, " TAG, NULL, false, CONDITION_FAILED },
    { "If-None-Match", "junk, " TAG, NULL, false, CONDITION_PASSED },
    /* weak tags: good for If-None-Match, and for nothing else */
    { "If-Match", "W/\"now\"", NULL, false, CONDITION_FAILED },
    { "If-Match", TAG, "W/\"now\"", false, CONDITION_FAILED },
    { "If-Match", "W/\"now\"", "W/\"now\"", false, CONDITION_FAILED },
    { "If-None-Match", "W/\"now\"", NULL, false, CONDITION_NOT_MODIFIED },
    { "If-None-Match", TAG, "W/\"now\"", false, CONDITION_NOT_MODIFIED },
    { "If-None-Match", "W/\"now\"", "W/\"now\"", false, CONDITION_NOT_MODIFIED },
    { "If-Range", "W/\"now\"", NULL, false, CONDITION_WHOLE },
    { "If-Range", TAG, "W/\"now\"", false, CONDITION_WHOLE },
    { "If-Range", "W/\"now\"", "W/\"now\"", false, CONDITION_WHOLE },
    { "If-Range", "*", NULL, false, CONDITION_WHOLE },
    { "If-Range", TAG ", " TAG, NULL, false, CONDITION_WHOLE },
    { "If-Range", TAG " ", NULL, false, CONDITION_WHOLE },
    /* dates: If-Range wants exactly the date */
    { "If-Modified-Since", LATER, NULL, false, CONDITION_NOT_MODIFIED },
    { "If-Modified-Since", "Sunday, 06-Nov-94 08:49:37 GMT", NULL, false, CONDITION_NOT_MODIFIED },
    { "If-Modified-Since", "Sun Nov  6 08:49:37 1994", NULL, false, CONDITION_NOT_MODIFIED },
    { "If-Unmodified-Since", LATER, NULL, false, CONDITION_PASSED },
    { "If-Range", LATER, NULL, false, CONDITION_WHOLE },
    { "If-Range", "Sun Nov  6 08:49:37 1994", NULL, false, CONDITION_PASSED },
    { "If-Modified-Since", DATE ", " DATE, NULL, false, CONDITION_PASSED },
    /* a file from the future has no date to compare with */
    { "If-Modified-Since", DATE, NULL, true, CONDITION_PASSED },
    { "If-Unmodified-Since", EARLIER, NULL, true, CONDITION_PASSED },
    { "If-Range", DATE, NULL, true, CONDITION_WHOLE },
    /* more than one Range */
    { "Range", "bytes=2-3", NULL, false, CONDITION_WHOLE },
};

START_TEST(case_by_case)
{
    struct validators validators = {
        .tag = cases[_i].tag ? cases[_i].tag : TAG,
        .dated = !cases[_i].undated,
        .modified = MODIFIED,
        .now = 1792000000,
    };
    struct conditions conditions = { .match.count = 0 };

    conditions_take(&conditions, "Range", "bytes=0-1");
    conditions_take(&conditions, cases[_i].name, cases[_i].value);
    ck_assert_int_eq(conditions_check(&conditions, &validators, true), cases[_i].result);
}
END_TEST

static const struct validators plain = { .tag = TAG, .dated = true, .modified = MODIFIED, .now = 1792000000 };

/* A list may be spread over lines, of which the last that counts is the CONDITION_LINES_MAX-th. */
START_TEST(lists_over_lines)
{
    for (int lines = 1; lines <= CONDITION_LINES_MAX + 1; lines++) {
        struct conditions conditions = { .match.count = 0 };
        enum condition_result result = lines > CONDITION_LINES_MAX ? CONDITION_FAILED : CONDITION_WHOLE;

        for (int i = 1; i < lines; i++)
            conditions_take(&conditions, "If-Match", "\"then\"");
        conditions_take(&conditions, "If-Match", TAG);
        ck_assert_int_eq(conditions_check(&conditions, &plain, true), result);
    }
}
END_TEST

/* Fields that have one value are not there when they come twice; of If-Range, the careful answer is the whole. */
START_TEST(single_fields_twice)
{
    static const struct {
        const char *name, *value;
        enum condition_result result;
    } twice[] = {
        { "If-Modified-Since", DATE, CONDITION_PASSED },
        { "If-Unmodified-Since", EARLIER, CONDITION_PASSED },
        { "If-Range", TAG, CONDITION_WHOLE },
    };

    for (size_t i = 0; i < COUNT(twice); i++) {
        struct conditions conditions = { .match.count = 0 };

        conditions_take(&conditions, "Range", "bytes=0-1");
        conditions_take(&conditions, twice[i].name, twice[i].value);
        conditions_take(&conditions, twice[i].name, twice[i].value);
        ck_assert_int_eq(conditions_check(&conditions, &plain, true), twice[i].result);
    }
}
END_TEST

Suite *suite_conditional(void)
{
    Suite *suite = suite_create("conditional");
    TCase *tcase = tcase_create("conditional");

    tcase_add_loop_test(tcase, every_combination, 0, 2);
    tcase_add_loop_test(tcase, case_by_case, 0, COUNT(cases));
    tcase_add_test(tcase, lists_over_lines);
    tcase_add_test(tcase, single_fields_twice);
    suite_add_tcase(suite, tcase);
    return suite;
}
