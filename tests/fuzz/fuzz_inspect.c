/* An answer of sock_diag: whatever is in it, names have an end, and nothing behind its own is read. */
#include "socket/inspect.h"

#include <errno.h>

#include "property.h"

static int take(const struct inspected *socket, void *data)
{
    PROPERTY(strnlen(socket->name, sizeof(socket->name)) < sizeof(socket->name));
    PROPERTY(socket->raw_name_size <= sizeof(socket->raw_name));
    PROPERTY(!socket->has_queue || socket->listening);
    ++*(size_t *)data;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = malloc(size ? size : 1); /* aligned for anything */
    size_t count = 0;
    bool end = false;

    if (!bytes)
        abort();
    memcpy(bytes, data, size);
    PROPERTY(inspect_parse(bytes, size, take, &count, &end) <= 0);
    PROPERTY(count <= size / 32); /* two headers */
    free(bytes);
    return 0;
}
