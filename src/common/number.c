#include "common/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t factor;
};

/* From small to large: the formatters look for the largest that divides. The first is what no unit means. */
static const struct unit sizes[] = {
    { "", 1 },
    { "K", UINT64_C(1) << 10 },
    { "M", UINT64_C(1) << 20 },
    { "G", UINT64_C(1) << 30 },
    { "T", UINT64_C(1) << 40 },
};
static const struct unit durations[] = {
    { "ms", 1 }, { "s", 1000 }, { "m", 60 * 1000 }, { "h", 60 * 60 * 1000 }, { "d", 24 * 60 * 60 * 1000 },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads the digits at *text and moves it behind them. -EINVAL without any; -ERANGE for a value too large for 64 bits,
 * which is then UINT64_MAX. */
static int digits_take(const char **text, uint64_t *ret_value)
{
    uint64_t value = 0;
    int r = 0;

    if (!is_digit(**text))
        return -EINVAL;
    for (; is_digit(**text); (*text)++)
        if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
            __builtin_add_overflow(value, (uint64_t)(**text - '0'), &value)) {
            value = UINT64_MAX;
            r = -ERANGE;
        }
    *ret_value = value;
    return r;
}

static int range_check(const char *text, uint64_t value, uint64_t min, uint64_t max, void (*format)(uint64_t, char *),
                       struct error *error)
{
    char limit[NUMBER_TEXT_MAX];

    if (value >= min && value <= max)
        return 0;
    format(value < min ? min : max, limit);
    return error_set(error, -ERANGE, "\"%s\" is too %s: it must be at %s %s", text, value < min ? "small" : "large",
                     value < min ? "least" : "most", limit);
}

static void number_format(uint64_t number, char *ret_text)
{
    snprintf(ret_text, NUMBER_TEXT_MAX, "%" PRIu64, number);
}

int number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *ret_number, struct error *error)
{
    const char *next = text;
    uint64_t value;
    int r;

    r = digits_take(&next, &value);
    if (r == -EINVAL || *next != '\0')
        return error_set(error, -EINVAL, "\"%s\" is not a number such as %" PRIu64, text, min > 0 ? min : 1);
    if (r == -ERANGE)
        return error_set(error, -ERANGE, "\"%s\" is too large: it must be at most %" PRIu64, text, max);
    r = range_check(text, value, min, max, number_format, error);
    if (r < 0)
        return r;
    *ret_number = value;
    return 0;
}

static const struct unit *unit_find(const struct unit *units, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(units[i].name, name) == 0)
            return &units[i];
    return NULL;
}

int number_parse_size(const char *text, uint64_t min, uint64_t max, uint64_t *ret_bytes, struct error *error)
{
    const char *next = text;
    const struct unit *unit;
    uint64_t value;
    int r;

    if (digits_take(&next, &value) == -EINVAL || !(unit = unit_find(sizes, COUNT(sizes), next)))
        return error_set(error, -EINVAL, "\"%s\" is not a size such as 512, 64K or 1M", text);
    if (__builtin_mul_overflow(value, unit->factor, &value))
        value = UINT64_MAX;
    r = range_check(text, value, min, max, number_format_size, error);
    if (r < 0)
        return r;
    *ret_bytes = value;
    return 0;
}

/* ".25" of a unit, in milliseconds. -EINVAL if it is no fraction or finer than a millisecond. */
static int fraction_take(const char **text, uint64_t *ret_numerator, uint64_t *ret_denominator)
{
    const char *start = ++*text;

    if (digits_take(text, ret_numerator) < 0 || *text - start > 9)
        return -EINVAL;
    for (*ret_denominator = 1; start < *text; start++)
        *ret_denominator *= 10;
    return 0;
}

int number_parse_duration(const char *text, uint64_t min, uint64_t max, uint64_t *ret_ms, struct error *error)
{
    uint64_t value, numerator = 0, denominator = 1;
    const struct unit *unit = NULL;
    const char *next = text;
    int r;

    r = digits_take(&next, &value) == -EINVAL ? -EINVAL : 0;
    if (r == 0 && *next == '.')
        r = fraction_take(&next, &numerator, &denominator);
    if (r == 0)
        unit = unit_find(durations, COUNT(durations), *next ? next : "s");
    if (!unit || (numerator * unit->factor) % denominator != 0)
        return error_set(error, -EINVAL, "\"%s\" is not a time such as 30, 1.5s, 500ms or 2m%s", text,
                         unit ? "; nothing is finer than a millisecond" : "");
    if (__builtin_mul_overflow(value, unit->factor, &value) ||
        __builtin_add_overflow(value, numerator * unit->factor / denominator, &value))
        value = UINT64_MAX;
    r = range_check(text, value, min, max, number_format_duration, error);
    if (r < 0)
        return r;
    *ret_ms = value;
    return 0;
}

int number_parse_mode(const char *text, mode_t *ret_mode, struct error *error)
{
    size_t length = strspn(text, "01234567");
    mode_t mode = 0;

    if (text[length] != '\0' || length < 3 || length > 4 || (length == 4 && text[0] != '0'))
        return error_set(error, -EINVAL, "\"%s\" is not an octal mode such as 0660", text);
    for (size_t i = 0; i < length; i++)
        mode = mode * 8 + (mode_t)(text[i] - '0');
    *ret_mode = mode;
    return 0;
}

static void unit_format(uint64_t value, const struct unit *units, size_t count, char *ret_text)
{
    size_t i = count - 1;

    while (i > 0 && (value == 0 || value % units[i].factor != 0))
        i--;
    snprintf(ret_text, NUMBER_TEXT_MAX, "%" PRIu64 "%s", value / units[i].factor, units[i].name);
}

void number_format_size(uint64_t bytes, char *ret_text)
{
    unit_format(bytes, sizes, COUNT(sizes), ret_text);
}

void number_format_duration(uint64_t ms, char *ret_text)
{
    unit_format(ms, durations, COUNT(durations), ret_text);
}
