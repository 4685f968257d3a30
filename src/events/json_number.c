#include "events/json_number.h"

#include <stdbool.h>
#include <string.h>

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

/* Whether an integer has more than 64 bits, the sign's included. */
static bool is_large_integer(const char *number, size_t size)
{
    bool negative = *number == '-';
    const char *most = negative ? "9223372036854775808" : "9223372036854775807";

    number += negative;
    size -= negative;
    return size > 19 || (size == 19 && memcmp(number, most, size) > 0);
}

/* The part after the `e`, as far as it matters. */
static long read_exponent(const char *at, const char *end)
{
    long exponent = 0;
    bool negative = *at == '-';

    for (at += negative || *at == '+'; at < end; at++)
        if (exponent < 100000000)
            exponent = exponent * 10 + (*at - '0');
    return negative ? -exponent : exponent;
}

/* Whether a number with a fraction or an exponent is nearer to what follows the largest double than to that. */
static bool is_large_real(const char *number, size_t size)
{
    static const char half_a_step_above[] = "17976931348623158079"; /* 1.797… times 10 to the 308 */
    char digits[sizeof(half_a_step_above)];                         /* from the first that is not 0 */
    const char *at = number, *end = number + size;
    size_t count = 0;
    long exponent = -1; /* of that first digit */
    bool whole = true;

    memset(digits, '0', sizeof(digits));
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '-')
            continue;
        if (*at == '.') {
            whole = false;
            continue;
        }
        if (count > 0 || *at != '0') {
            if (count < sizeof(digits) - 1)
                digits[count++] = *at;
            exponent += whole;
        } else {
            exponent -= !whole;
        }
    }
    if (at < end)
        exponent += read_exponent(at + 1, end);
    return count > 0 &&
           (exponent > 308 || (exponent == 308 && memcmp(digits, half_a_step_above, sizeof(digits) - 1) > 0));
}

/* The end of a fraction or an exponent, whose digits begin here; NULL if there are none. */
static const char *skip_some_digits(const char *at, const char *end)
{
    const char *after = skip_digits(at, end);

    return after > at ? after : NULL;
}

static size_t refuse(const char *what, const char **ret_mistake)
{
    *ret_mistake = what;
    return 0;
}

size_t json_number_size(const char *text, const char *end, const char **ret_mistake)
{
    const char *at = text + (*text == '-');
    bool real = false;

    at = at < end && *at == '0' ? at + 1 : skip_some_digits(at, end);
    if (!at)
        return refuse("a number has a digit after its -", ret_mistake);
    if (at < end && *at == '.') {
        real = true;
        at = skip_some_digits(at + 1, end);
        if (!at)
            return refuse("a number has a digit after its point", ret_mistake);
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        real = true;
        at++;
        at = skip_some_digits(at + (at < end && (*at == '+' || *at == '-')), end);
        if (!at)
            return refuse("a number has a digit after its e", ret_mistake);
    }
    if (!real && is_large_integer(text, (size_t)(at - text)))
        return refuse("an integer has at most 64 bits; write a larger one as a text", ret_mistake);
    if (real && is_large_real(text, (size_t)(at - text)))
        return refuse("a number is at most about 1.8e308", ret_mistake);
    return (size_t)(at - text);
}
