#include "http/layout.h"

#include <string.h>

#include <microhttpd.h>

#if MHD_VERSION < 0x00097701
#define LAYOUT_TELLS true
#else
#define LAYOUT_TELLS false
#endif

/* CR and LF, both of which are NULs by now. */
#define LINE_END 2

static void part(struct layout *layout, uintptr_t begins, uintptr_t ends)
{
    if (layout->next != begins)
        layout->gap = LAYOUT_TELLS;
    layout->next = ends;
}

void layout_line(struct layout *layout, const char *method, uintptr_t target, size_t target_size, const char *version)
{
    layout->gap = false;
    layout->next = (uintptr_t)method + strlen(method) + 1; /* a space, once */
    part(layout, target, target + target_size + 1);
    part(layout, (uintptr_t)version, (uintptr_t)version + strlen(version) + LINE_END);
}

void layout_field(struct layout *layout, const char *name, size_t name_size, const char *value, size_t value_size)
{
    const char *colon = name + name_size;

    /* Between the two lie the colon and white space, which hide nothing as long as they are on one line. */
    if (LAYOUT_TELLS && (value <= colon || memchr(colon + 1, '\0', (size_t)(value - colon) - 1)))
        layout->gap = true;
    part(layout, (uintptr_t)name, (uintptr_t)value + value_size + LINE_END);
}

void layout_end(struct layout *layout, const char *method, size_t head_size)
{
    part(layout, (uintptr_t)method + head_size - LINE_END, 0);
}
