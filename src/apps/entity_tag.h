/*
 * Entity tags (RFC 9110 section 8.8.3), as they stand in If-Match, If-None-Match and If-Range.
 */
#ifndef BERTH_APPS_ENTITY_TAG_H
#define BERTH_APPS_ENTITY_TAG_H

#include <stdbool.h>
#include <stddef.h>

/* The size of the entity tag that `text` begins with, its quotes and W/ included; 0 if it begins with none. */
size_t entity_tag_size(const char *text);

/* Whether two tags are the same; `strong`: and neither is weak (RFC 9110 section 8.8.3.2). */
bool entity_tags_match(const char *one, size_t one_size, const char *other, size_t other_size, bool strong);

/* Whether one of the tags in a list is `tag`. A list is read up to the first thing in it that is no tag: nothing behind
 * it matches. */
bool entity_tag_in_list(const char *list, const char *tag, bool strong);

#endif
