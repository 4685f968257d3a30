/*
 * Texts in order.
 */
#ifndef BERTH_COMMON_TEXT_LIST_H
#define BERTH_COMMON_TEXT_LIST_H

#include <stddef.h>

/* `items` ends with a NULL that `count` does not count, so it may serve as an argv; an empty list may have none. */
struct text_list {
    char **items;
    size_t count;
};

int text_list_add(struct text_list *list, const char *text); /* copies; 0 or -ENOMEM */
void text_list_done(struct text_list *list);

#endif
