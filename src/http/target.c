#include "http/target.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "http/percent.h"

static int refuse(const char *reason, const char **ret_reason)
{
    *ret_reason = reason;
    return -EINVAL;
}

/* Printable ASCII without space and '#': more than RFC 3986 permits, since browsers send some of it unencoded, but
 * nothing that ends a request line for one reader and not for another. */
static bool bytes_valid(const char *raw, size_t size)
{
    unsigned char bad = 0;

    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)raw[i];

        bad |= (unsigned char)((c <= ' ') | (c >= 0x7f) | (c == '#'));
    }
    return bad == 0;
}

static int path_decode(const char *raw, size_t size, char *path, size_t *ret_size, const char **ret_reason)
{
    size_t used = 0;

    for (size_t i = 0; i < size; i++) {
        int byte;

        if (raw[i] != '%') {
            path[used++] = raw[i];
            continue;
        }
        byte = percent_byte(raw + i, size - i);
        if (byte < 0)
            return refuse("the path has a \"%\" that two hexadecimal digits do not follow", ret_reason);
        if (byte == '\0')
            return refuse("the path has an encoded NUL (%00)", ret_reason);
        if (byte == '/')
            return refuse("the path has an encoded slash (%2F)", ret_reason);
        path[used++] = (char)byte;
        i += 2;
    }
    path[used] = '\0';
    *ret_size = used;
    return 0;
}

static bool segment_is_dots(const char *segment, size_t size)
{
    return (size == 1 && segment[0] == '.') || (size == 2 && segment[0] == '.' && segment[1] == '.');
}

/* Cuts `text`, a decoded path after its first slash, into its segments. */
static int path_split(char *text, const char **segments, size_t *sizes, const char **ret_reason)
{
    char *end;

    for (size_t i = 0; text; i++, text = end) {
        end = strchr(text, '/');
        if (end)
            *end++ = '\0';
        segments[i] = text;
        sizes[i] = end ? (size_t)(end - 1 - text) : strlen(text);
        if (segment_is_dots(text, sizes[i]))
            return refuse("the path has a \".\" or \"..\" segment", ret_reason);
    }
    return 0;
}

static size_t segments_count(const char *path, size_t size)
{
    size_t count = 0;

    for (size_t i = 0; i < size; i++)
        count += path[i] == '/';
    return count;
}

/* Fills in path and segments from the first `size` bytes of target->raw. */
static int target_set_path(struct target *target, size_t size, struct arena *arena, const char **ret_reason)
{
    size_t count = segments_count(target->raw, size), path_size, *sizes;
    const char **segments;
    char *path, *text;
    int r;

    if (count > TARGET_SEGMENTS_MAX)
        return refuse("the path has more than 128 segments", ret_reason);
    path = arena_alloc(arena, size + 1);
    segments = arena_alloc(arena, count * sizeof(*segments));
    sizes = arena_alloc(arena, count * sizeof(*sizes));
    if (!path || !segments || !sizes)
        return -ENOMEM;
    r = path_decode(target->raw, size, path, &path_size, ret_reason);
    if (r < 0)
        return r;
    text = arena_text(arena, path + 1, path_size - 1);
    if (!text)
        return -ENOMEM;
    r = path_split(text, segments, sizes, ret_reason);
    if (r < 0)
        return r;
    target->path = path;
    target->segments = segments;
    target->segment_sizes = sizes;
    target->segment_count = count;
    return 0;
}

/* The length of "http://" or "https://" at the beginning, else 0. */
static size_t scheme_size(const char *raw, size_t size)
{
    if (size >= 7 && strncasecmp(raw, "http://", 7) == 0)
        return 7;
    if (size >= 8 && strncasecmp(raw, "https://", 8) == 0)
        return 8;
    return 0;
}

/* Takes scheme and authority off the front, and leaves the rest in raw and size. */
static int authority_take(const char **raw, size_t *size, struct arena *arena, const char **ret_authority,
                          const char **ret_reason)
{
    size_t begin = scheme_size(*raw, *size), end = begin;

    if (begin == 0)
        return refuse("the request target is neither a path nor an http or https URI", ret_reason);
    while (end < *size && (*raw)[end] != '/' && (*raw)[end] != '?')
        end++;
    if (end == begin)
        return refuse("the request target is a URI without a host", ret_reason);
    *ret_authority = arena_text(arena, *raw + begin, end - begin);
    if (!*ret_authority)
        return -ENOMEM;
    *raw += end;
    *size -= end;
    return 0;
}

/* Stores path and query as they were sent; a URI's empty path is "/" (RFC 9110 section 4.2.3). */
static const char *raw_keep(const char *raw, size_t size, struct arena *arena)
{
    bool slash = size == 0 || raw[0] != '/';
    char *kept = arena_alloc(arena, slash + size + 1);

    if (!kept)
        return NULL;
    kept[0] = '/';
    memcpy(kept + slash, raw, size);
    kept[slash + size] = '\0';
    return kept;
}

int target_parse(const char *raw, size_t size, struct arena *arena, struct target *ret_target, const char **ret_reason)
{
    struct target target = { 0 };
    const char *mark;
    int r;

    if (size == 0)
        return refuse("the request target is empty", ret_reason);
    if (!bytes_valid(raw, size))
        return refuse("the request target has a byte that must be percent-encoded, or a fragment", ret_reason);
    if (size == 1 && raw[0] == '*') {
        *ret_target = (struct target){ .raw = "*", .path = "*", .asterisk = true };
        return 0;
    }
    if (raw[0] != '/') {
        r = authority_take(&raw, &size, arena, &target.authority, ret_reason);
        if (r < 0)
            return r;
    }
    target.raw = raw_keep(raw, size, arena);
    if (!target.raw)
        return -ENOMEM;
    mark = strchr(target.raw, '?');
    target.query = mark ? mark + 1 : NULL;
    r = target_set_path(&target, mark ? (size_t)(mark - target.raw) : strlen(target.raw), arena, ret_reason);
    if (r < 0)
        return r;
    *ret_target = target;
    return 0;
}

bool target_is_below(const struct target *target, const char *mount)
{
    size_t size = strlen(mount);

    return strncmp(target->path, mount, size) == 0 && (target->path[size] == '/' || target->path[size] == '\0');
}
