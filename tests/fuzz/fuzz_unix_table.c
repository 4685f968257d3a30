/* /proc/net/unix: a part of a table has no more sockets than the whole, and their names have an end. */
#include "socket/unix_table.h"

#include "property.h"

static int take(const struct inspected *socket, void *data)
{
    PROPERTY(strnlen(socket->name, sizeof(socket->name)) < sizeof(socket->name));
    PROPERTY(socket->raw_name_size <= sizeof(socket->raw_name));
    ++*(size_t *)data;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = malloc(size + 1);
    size_t lines = 0, count = 0;

    if (!bytes)
        abort();
    memcpy(bytes, data, size);
    for (size_t i = 0; i < size; i++)
        lines += bytes[i] == '\n';
    bytes = realloc(bytes, size ? size : 1); /* nothing is read behind the last byte */
    if (!bytes)
        abort();
    PROPERTY(unix_table_parse(bytes, size, take, &count) == 0);
    PROPERTY(count <= lines);
    free(bytes);
    return 0;
}
