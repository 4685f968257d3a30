#include "apps/range.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* A number that is too large for anything is as good as any other beyond the end. */
static bool take_number(const char **at, uint64_t *ret_value)
{
    const char *begin = *at;
    uint64_t value = 0;

    for (; **at >= '0' && **at <= '9'; (*at)++) {
        uint64_t digit = (uint64_t)(**at - '0');

        value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
    }
    *ret_value = value;
    return *at != begin;
}

/* One range-spec, cut to what there is; of size 0 when it is none of it. */
static bool take_range(const char **at, uint64_t size, struct range *ret_range)
{
    uint64_t first, last;
    bool begun = take_number(at, &first), ended;

    if (**at != '-')
        return false;
    (*at)++;
    ended = take_number(at, &last);
    if (!begun) {
        ret_range->size = last < size ? last : size;
        ret_range->first = size - ret_range->size;
        return ended;
    }
    if (ended && last < first)
        return false;
    if (!ended || last >= size)
        last = size - 1;
    ret_range->first = first;
    ret_range->size = first < size ? last - first + 1 : 0;
    return true;
}

static bool ranges_touch(const struct range *one, const struct range *other)
{
    const struct range *left = one->first <= other->first ? one : other, *right = left == one ? other : one;
    uint64_t end = left->first + left->size;

    return right->first <= end || right->first - end <= RANGE_GAP_MAX;
}

static void range_extend(struct range *range, const struct range *other)
{
    uint64_t end = range->first + range->size, other_end = other->first + other->size;

    if (other->first < range->first)
        range->first = other->first;
    range->size = (end > other_end ? end : other_end) - range->first;
}

/* Adds one, joined with those that it touches; what was joined may touch others in turn. */
static void ranges_add(struct range *ranges, size_t *count, struct range range)
{
    size_t place = *count;

    for (size_t i = 0; i < *count;) {
        if (!ranges_touch(&ranges[i], &range)) {
            i++;
            continue;
        }
        range_extend(&range, &ranges[i]);
        if (i < place)
            place = i;
        memmove(ranges + i, ranges + i + 1, (*count - i - 1) * sizeof(*ranges));
        --*count;
        i = 0;
    }
    if (place > *count)
        place = *count;
    memmove(ranges + place + 1, ranges + place, (*count - place) * sizeof(*ranges));
    ranges[place] = range;
    ++*count;
}

enum range_result ranges_parse(const char *field, uint64_t size, struct range ret_ranges[RANGES_MAX], size_t *ret_count)
{
    size_t asked = 0, count = 0;
    bool impossible = false;

    if (strncasecmp(field, "bytes=", 6) != 0)
        return RANGE_NONE;
    for (const char *at = field + 6;;) {
        struct range range;

        at += strspn(at, ", \t");
        if (*at == '\0')
            break;
        if (++asked > RANGES_MAX)
            return RANGE_NONE;
        impossible |= *at == '-' && size == 0 && strspn(at + 1, "0") < strspn(at + 1, "0123456789");
        if (!take_range(&at, size, &range))
            return RANGE_NONE;
        if (range.size > 0)
            ranges_add(ret_ranges, &count, range);
        at += strspn(at, " \t");
        if (*at != ',' && *at != '\0')
            return RANGE_NONE;
    }
    if (asked == 0 || (count == 0 && impossible))
        return RANGE_NONE;
    *ret_count = count;
    return count > 0 ? RANGE_SOME : RANGE_UNSATISFIABLE;
}
