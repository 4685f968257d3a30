#include "apps/multipart.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* A piece of the body: text of ours, then a range. The last one is the closing delimiter, with an empty range. */
struct piece {
    char text[256];
    size_t text_size;
    struct range range;
};

struct multipart {
    char type[64];
    uint64_t size;
    size_t count;
    struct piece pieces[];
};

static int boundary_make(char ret_boundary[MULTIPART_BOUNDARY_SIZE + 1])
{
    unsigned char bytes[MULTIPART_BOUNDARY_SIZE / 2];

    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return -EIO;
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(ret_boundary + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

static void piece_size(struct multipart *multipart, struct piece *piece, int text_size)
{
    piece->text_size = (size_t)text_size < sizeof(piece->text) ? (size_t)text_size : sizeof(piece->text) - 1;
    multipart->size += piece->text_size + piece->range.size;
}

struct multipart *multipart_new(const char *type, uint64_t size, const struct range *ranges, size_t count)
{
    struct multipart *multipart = calloc(1, sizeof(*multipart) + (count + 1) * sizeof(multipart->pieces[0]));
    char boundary[MULTIPART_BOUNDARY_SIZE + 1];
    struct piece *piece;

    if (!multipart || boundary_make(boundary) < 0) {
        free(multipart);
        return NULL;
    }
    multipart->count = count + 1;
    snprintf(multipart->type, sizeof(multipart->type), "multipart/byteranges; boundary=%s", boundary);
    piece = multipart->pieces;
    for (size_t i = 0; i < count; i++, piece++) {
        piece->range = ranges[i];
        piece_size(
            multipart, piece,
            snprintf(piece->text, sizeof(piece->text),
                     "%s--%s\r\nContent-Type: %s\r\nContent-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n\r\n",
                     i > 0 ? "\r\n" : "", boundary, type, ranges[i].first, ranges[i].first + ranges[i].size - 1, size));
    }
    piece_size(multipart, piece, snprintf(piece->text, sizeof(piece->text), "\r\n--%s--\r\n", boundary));
    return multipart;
}

void multipart_free(struct multipart *multipart)
{
    free(multipart);
}

const char *multipart_type(const struct multipart *multipart)
{
    return multipart->type;
}

uint64_t multipart_size(const struct multipart *multipart)
{
    return multipart->size;
}

ssize_t multipart_read(const struct multipart *multipart, uint64_t offset, void *buffer, size_t room,
                       ssize_t (*read)(const void *source, uint64_t offset, void *buffer, size_t room),
                       const void *source)
{
    const struct piece *piece = multipart->pieces;
    size_t used = 0;

    for (size_t i = 0; i < multipart->count && used < room; i++, piece++) {
        size_t size;
        ssize_t got;

        if (offset < piece->text_size) {
            size = piece->text_size - offset < room - used ? (size_t)(piece->text_size - offset) : room - used;
            memcpy((char *)buffer + used, piece->text + offset, size);
            used += size;
            offset += size;
        }
        offset -= offset < piece->text_size ? offset : piece->text_size;
        while (offset < piece->range.size && used < room) {
            size = piece->range.size - offset < room - used ? (size_t)(piece->range.size - offset) : room - used;
            got = read(source, piece->range.first + offset, (char *)buffer + used, size);
            if (got <= 0)
                return got < 0 ? got : -EIO;
            used += (size_t)got;
            offset += (uint64_t)got;
        }
        offset -= offset < piece->range.size ? offset : piece->range.size;
    }
    return (ssize_t)used;
}
