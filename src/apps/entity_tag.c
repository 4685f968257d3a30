#include "apps/entity_tag.h"

#include <string.h>

static bool is_weak(const char *tag)
{
    return tag[0] == 'W';
}

/* etagc: visible ASCII without the quote, and obs-text. */
static bool is_tag_character(unsigned char c)
{
    return c == 0x21 || (c >= 0x23 && c != 0x7f);
}

size_t entity_tag_size(const char *text)
{
    const char *at = text;

    if (at[0] == 'W' && at[1] == '/')
        at += 2;
    if (*at++ != '"')
        return 0;
    while (is_tag_character((unsigned char)*at))
        at++;
    return *at == '"' ? (size_t)(at + 1 - text) : 0;
}

bool entity_tags_match(const char *one, size_t one_size, const char *other, size_t other_size, bool strong)
{
    if (strong && (is_weak(one) || is_weak(other)))
        return false;
    if (is_weak(one)) {
        one += 2;
        one_size -= 2;
    }
    if (is_weak(other)) {
        other += 2;
        other_size -= 2;
    }
    return one_size == other_size && memcmp(one, other, one_size) == 0;
}

bool entity_tag_in_list(const char *list, const char *tag, bool strong)
{
    size_t tag_size = strlen(tag);

    for (;;) {
        size_t size;

        list += strspn(list, ", \t");
        size = entity_tag_size(list);
        if (size == 0 || strchr(", \t", list[size]) == NULL) /* the NUL at the end is found, too */
            return false;
        if (entity_tags_match(list, size, tag, tag_size, strong))
            return true;
        list += size;
        list += strspn(list, " \t");
        if (*list != ',')
            return false;
    }
}
