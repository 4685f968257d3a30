#include "apps/conditional.h"

#include <string.h>
#include <strings.h>

#include "apps/entity_tag.h"
#include "apps/http_date.h"

static void lines_add(struct condition_lines *lines, const char *value)
{
    if (lines->count < CONDITION_LINES_MAX)
        lines->lines[lines->count] = value;
    lines->count++;
}

void conditions_take(struct conditions *conditions, const char *name, const char *value)
{
    /* Two letters sort out nearly all of what requests bring. */
    if ((name[0] | 0x20) == 'r') {
        if (strcasecmp(name, "Range") == 0)
            lines_add(&conditions->range, value);
        return;
    }
    if ((name[0] | 0x20) != 'i' || strncasecmp(name, "If-", 3) != 0)
        return;
    if (strcasecmp(name, "If-None-Match") == 0)
        lines_add(&conditions->none_match, value);
    else if (strcasecmp(name, "If-Modified-Since") == 0)
        lines_add(&conditions->modified_since, value);
    else if (strcasecmp(name, "If-Range") == 0)
        lines_add(&conditions->if_range, value);
    else if (strcasecmp(name, "If-Match") == 0)
        lines_add(&conditions->match, value);
    else if (strcasecmp(name, "If-Unmodified-Since") == 0)
        lines_add(&conditions->unmodified_since, value);
}

/* "*" stands alone, and matches whatever there is. */
static bool lines_match(const struct condition_lines *lines, const char *tag, bool strong)
{
    if (lines->count > CONDITION_LINES_MAX)
        return false;
    if (lines->count == 1 && strcmp(lines->lines[0], "*") == 0)
        return true;
    for (size_t i = 0; tag && i < lines->count; i++)
        if (entity_tag_in_list(lines->lines[i], tag, strong))
            return true;
    return false;
}

static bool lines_date(const struct condition_lines *lines, const struct validators *validators, int64_t *ret_date)
{
    return lines->count == 1 && validators->dated && http_date_parse(lines->lines[0], validators->now, ret_date) == 0;
}

/* Whether the rest of a partial copy may be sent (section 13.1.5): by a strong tag, or by exactly the date. */
static bool if_range_holds(const struct condition_lines *lines, const struct validators *validators)
{
    size_t size;
    int64_t date;

    if (lines->count != 1)
        return lines->count == 0;
    size = entity_tag_size(lines->lines[0]);
    if (size == 0)
        return lines_date(lines, validators, &date) && date == validators->modified;
    return lines->lines[0][size] == '\0' && validators->tag &&
           entity_tags_match(lines->lines[0], size, validators->tag, strlen(validators->tag), true);
}

/* Steps 1 and 2. */
static bool is_as_expected(const struct conditions *conditions, const struct validators *validators)
{
    int64_t date;

    if (conditions->match.count > 0)
        return lines_match(&conditions->match, validators->tag, true);
    return !lines_date(&conditions->unmodified_since, validators, &date) || validators->modified <= date;
}

/* Steps 3 and 4. */
static bool is_known(const struct conditions *conditions, const struct validators *validators)
{
    int64_t date;

    if (conditions->none_match.count > 0)
        return lines_match(&conditions->none_match, validators->tag, false);
    return lines_date(&conditions->modified_since, validators, &date) && validators->modified <= date;
}

enum condition_result conditions_check(const struct conditions *conditions, const struct validators *validators,
                                       bool get)
{
    if (!is_as_expected(conditions, validators))
        return CONDITION_FAILED;
    if (is_known(conditions, validators))
        return CONDITION_NOT_MODIFIED;
    if (!get || conditions->range.count != 1 || !if_range_holds(&conditions->if_range, validators))
        return CONDITION_WHOLE;
    return CONDITION_PASSED;
}
