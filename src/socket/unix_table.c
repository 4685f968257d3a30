#include "socket/unix_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/bytes.h"

enum {
    TABLE_MAX = 256 * 1024 * 1024,
    FIELDS = 6,               /* of numbers, before the inode: Num RefCount Protocol Flags Type St */
    FLAG_LISTENING = 0x10000, /* __SO_ACCEPTCON */
    STATE_CONNECTED = 3,      /* SS_CONNECTED */
};

/* Digits of that base up to a blank or the end; where they end, or NULL. */
static const char *number_read(const char *at, const char *end, unsigned int base, uint64_t *ret_number)
{
    uint64_t number = 0;
    const char *start = at;

    for (; at < end && *at != ' ' && *at != ':'; at++) {
        unsigned int digit = *at >= '0' && *at <= '9'   ? (unsigned int)(*at - '0')
                             : *at >= 'a' && *at <= 'f' ? (unsigned int)(*at - 'a') + 10
                             : *at >= 'A' && *at <= 'F' ? (unsigned int)(*at - 'A') + 10
                                                        : base;

        if (digit >= base || number > UINT64_MAX / 16 - 1)
            return NULL;
        number = number * base + digit;
    }
    *ret_number = number;
    return at > start ? at : NULL;
}

static const char *blanks_skip(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == ':'))
        at++;
    return at;
}

/* "0000000000000000: 00000002 00000000 00010000 0001 01 12345 /run/x.sock": whether it is such a line, and where its
 * name begins. */
static bool line_read(const char *line, const char *end, struct inspected *ret_socket, const char **ret_name)
{
    uint64_t fields[FIELDS], inode;
    const char *at = line;

    for (size_t i = 0; i < FIELDS; i++) {
        at = number_read(at, end, 16, &fields[i]);
        if (!at || at == end || *at != (i == 0 ? ':' : ' '))
            return false;
        at = blanks_skip(at, end);
    }
    at = number_read(at, end, 10, &inode);
    if (!at || inode > UINT32_MAX || (at < end && *at != ' '))
        return false;
    *ret_socket = (struct inspected){ .type = (int)(fields[4] & 0xf),
                                      .listening = (fields[3] & FLAG_LISTENING) != 0,
                                      .connected = fields[5] == STATE_CONNECTED,
                                      .inode = (uint32_t)inode };
    *ret_name = at < end ? at + 1 : at;
    return true;
}

static const char *line_end(const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));

    return newline ? newline : end;
}

/* An abstract name is shown with '@' in the place of its NUL; a path that begins with one is relative, and rare. */
static void name_set(struct inspected *socket, const char *name, size_t size)
{
    inspected_name(socket, name, size);
    if (socket->raw_name_size > 0 && socket->raw_name[0] == '@')
        socket->raw_name[0] = '\0';
}

int unix_table_parse(const char *text, size_t size, int (*take)(const struct inspected *socket, void *data), void *data)
{
    const char *end = text + size, *at = size > 0 ? line_end(text, end) : end, *name = end, *next_name;
    struct inspected socket, next;
    bool pending = false;
    int r = 0;

    while (r == 0 && at < end && ++at < end) {
        const char *line = at;

        at = line_end(line, end);
        if (!line_read(line, at, &next, &next_name))
            continue;
        if (pending) {
            name_set(&socket, name, line - 1 > name ? (size_t)(line - 1 - name) : 0);
            r = take(&socket, data);
        }
        socket = next;
        name = next_name;
        pending = true;
    }
    if (r == 0 && pending) {
        end -= end > name && end[-1] == '\n';
        name_set(&socket, name, end > name ? (size_t)(end - name) : 0);
        r = take(&socket, data);
    }
    return r;
}

int unix_table_each(int (*take)(const struct inspected *socket, void *data), void *data)
{
    int fd = open("/proc/net/unix", O_RDONLY | O_CLOEXEC), r;
    char *text;
    size_t size;

    if (fd < 0)
        return -errno;
    r = input_read(fd, TABLE_MAX, &text, &size);
    close(fd);
    if (r < 0)
        return r;
    r = unix_table_parse(text, size, take, data);
    free(text);
    return r;
}
