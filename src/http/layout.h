/*
 * What libmicrohttpd 0.9.75 does not show of a head: a NUL cuts a target or a value short, a folded line is glued to a
 * field's name, a line may end without its CR. All of them leave a trace: the parts of a head lie in memory as they
 * came, so a part that does not begin right behind the one before says that something between them is hidden. Later
 * versions refuse such heads themselves.
 */
#ifndef BERTH_HTTP_LAYOUT_H
#define BERTH_HTTP_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct layout {
    uintptr_t next; /* where the next part has to begin */
    bool gap;       /* one did not */
};

/* In the order of the head; `target` is the address that MHD_OPTION_URI_LOG_CALLBACK was given, with its size then. */
void layout_line(struct layout *layout, const char *method, uintptr_t target, size_t target_size, const char *version);
void layout_field(struct layout *layout, const char *name, size_t name_size, const char *value, size_t value_size);
void layout_end(struct layout *layout, const char *method, size_t head_size);

#endif
