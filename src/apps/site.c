/*
 * site:DIR, the files below a folder.
 *
 * Which bytes a path stands for is site_cache.c's and site_file.c's; here is what a request wants of them.
 */
#define BERTH_APP_SYMBOL app_site
#include <berth.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <uv.h>

#include "apps/accept_encoding.h"
#include "apps/conditional.h"
#include "apps/multipart.h"
#include "apps/range.h"
#include "apps/site_cache.h"

/* Up to so many bytes of a file are read into memory for a reply with a range. */
#define SHORT_RANGE_MAX 16384

struct site {
    int folder;
    struct site_cache *cache;
};

/* What a request says about the reply that it wants. */
struct wishes {
    struct conditions conditions;
    struct encodings encodings;
};

static int take_wish(void *data, const char *name, const char *value)
{
    struct wishes *wishes = data;

    conditions_take(&wishes->conditions, name, value);
    if ((name[0] | 0x20) == 'a' && strcasecmp(name, "Accept-Encoding") == 0)
        encodings_take(&wishes->encodings, value);
    return 0;
}

/*
 * Accept-Encoding chooses with Range as without: a range is one of the representation that was chosen (RFC 9110 section
 * 14.2), and whoever began to load a compressed file continues with that one. Each has an entity tag of its own, so
 * that If-Range never joins two of them.
 */
static struct site_file *choose_file(const struct site_entry *entry, const struct encodings *encodings)
{
    bool there[ENCODING_COUNT];

    for (int i = 0; i < ENCODING_COUNT; i++)
        there[i] = entry->files[i];
    return entry->files[encodings_choose(encodings, there)];
}

/* ---- Ranges --------------------------------------------------------------------------------------------------- */

static int add_header(void *reply, const char *name, const char *value)
{
    return berth_reply_header(reply, name, value);
}

static int add_range_fields(struct berth_reply *reply, const struct site_file *file, const struct range *range)
{
    char text[80];
    int r;

    snprintf(text, sizeof(text), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, range->first, range->first + range->size - 1,
             file->mark.size);
    r = berth_reply_header(reply, "Content-Range", text);
    return r < 0 ? r : site_file_add_fields(file, add_header, reply);
}

/* A short piece is read and sent in one go with the head: that costs less than a descriptor for the reply. */
static int send_short_range(struct berth_reply *reply, const struct site_file *file, const struct range *range)
{
    char bytes[SHORT_RANGE_MAX];
    ssize_t size = site_file_read(file, range->first, bytes, range->size);
    int r;

    if (size < 0)
        return (int)size;
    if ((size_t)size < range->size)
        return 503; /* it has just become shorter: by its next look the cache knows */
    r = add_range_fields(reply, file, range);
    return r < 0 ? r : berth_reply_bytes(reply, 206, file->type, bytes, range->size);
}

static int send_range(struct berth_reply *reply, const struct site_file *file, const struct range *range)
{
    int fd, r;

    if (range->size <= SHORT_RANGE_MAX)
        return send_short_range(reply, file, range);
    r = add_range_fields(reply, file, range);
    if (r < 0)
        return r;
    if (file->bytes)
        return berth_reply_bytes(reply, 206, file->type, file->bytes + range->first, range->size);
    fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
    return fd < 0 ? -errno : berth_reply_fd(reply, 206, file->type, fd, range->first, range->size);
}

/* A reply with several ranges, while it is sent. */
struct parts {
    struct site_file *file;
    struct multipart *multipart;
};

static ssize_t read_file(const void *file, uint64_t offset, void *buffer, size_t room)
{
    return site_file_read(file, offset, buffer, room);
}

static ssize_t read_parts(void *data, uint64_t offset, void *buffer, size_t room)
{
    const struct parts *parts = data;

    return multipart_read(parts->multipart, offset, buffer, room, read_file, parts->file);
}

static void parts_free(void *data)
{
    struct parts *parts = data;

    site_file_release(parts->file);
    multipart_free(parts->multipart);
    free(parts);
}

static int send_ranges(struct berth_reply *reply, struct site_file *file, const struct range *ranges, size_t count)
{
    struct parts *parts;
    int r = site_file_add_fields(file, add_header, reply);

    if (r < 0)
        return r;
    parts = malloc(sizeof(*parts));
    if (!parts)
        return -ENOMEM;
    parts->multipart = multipart_new(file->type, file->mark.size, ranges, count);
    if (!parts->multipart) {
        free(parts);
        return -ENOMEM;
    }
    parts->file = site_file_use(file);
    return berth_reply_reader(reply, 206, multipart_type(parts->multipart), multipart_size(parts->multipart),
                              read_parts, parts_free, parts);
}

static int refuse_range(struct berth_reply *reply, uint64_t size)
{
    char text[40];
    int r;

    snprintf(text, sizeof(text), "bytes */%" PRIu64, size);
    r = berth_reply_header(reply, "Content-Range", text);
    return r < 0 ? r
                 : berth_reply_error(reply, 416, "there are %" PRIu64 " bytes, and none of them in the range", size);
}

/* Several ranges of a compressed file are sent as the whole: a Content-Encoding would have to be that of each part, and
 * clients take it for that of the multipart. */
static int send_part(struct berth_reply *reply, struct site_file *file, const char *field)
{
    struct range ranges[RANGES_MAX];
    size_t count;

    switch (ranges_parse(field, file->mark.size, ranges, &count)) {
    case RANGE_UNSATISFIABLE:
        return refuse_range(reply, file->mark.size);
    case RANGE_SOME:
        if (count == 1)
            return send_range(reply, file, &ranges[0]);
        if (file->encoding == ENCODING_IDENTITY)
            return send_ranges(reply, file, ranges, count);
        break;
    case RANGE_NONE:
        break;
    }
    return berth_reply_prepared(reply, 200, file->whole);
}

/* ---- Folders -------------------------------------------------------------------------------------------------- */

/* Writes `text`, percent-encoded but for what is plain in every path, and returns the end. */
static char *encode(char *at, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";

    for (; *text; text++) {
        if (strchr(plain, *text))
            *at++ = *text;
        else
            at += snprintf(at, 4, "%%%02X", (unsigned char)*text);
    }
    *at = '\0';
    return at;
}

/* `rest` is encoded anew, since the target is as the client wrote it. It begins with no slash: so no location is taken
 * for another host. */
static int redirect_to_folder(struct berth_request *request, struct berth_reply *reply, const char *rest)
{
    const char *root = berth_request_root(request), *query = strchr(berth_request_target(request), '?');
    char *location = malloc(strlen(root) + 3 * strlen(rest) + (query ? strlen(query) : 0) + 3), *at;
    int r;

    if (!location)
        return -ENOMEM;
    at = stpcpy(location, root);
    *at++ = '/';
    if (*rest) {
        at = encode(at, rest);
        *at++ = '/';
    }
    stpcpy(at, query ? query : "");
    r = berth_reply_redirect(reply, 308, location);
    free(location);
    return r;
}

/* ---- Requests ------------------------------------------------------------------------------------------------- */

static int send_file(struct berth_request *request, struct berth_reply *reply, const struct site_entry *entry)
{
    struct wishes wishes = { .conditions.match.count = 0 };
    struct validators validators;
    struct site_file *file;

    encodings_init(&wishes.encodings);
    berth_request_each_header(request, take_wish, &wishes);
    file = choose_file(entry, &wishes.encodings);
    validators = (struct validators){
        .tag = file->tag,
        .dated = file->modified[0] != '\0',
        .modified = file->mark.modified.tv_sec,
        .now = (int64_t)time(NULL),
    };
    switch (conditions_check(&wishes.conditions, &validators, strcmp(berth_request_method(request), "GET") == 0)) {
    case CONDITION_FAILED:
        return berth_reply_error(reply, 412, "the file is not the one that the request expects");
    case CONDITION_NOT_MODIFIED:
        return berth_reply_prepared(reply, 304, file->whole);
    case CONDITION_PASSED:
        return send_part(reply, file, wishes.conditions.range.lines[0]);
    case CONDITION_WHOLE:
        break;
    }
    return berth_reply_prepared(reply, 200, file->whole);
}

static int get_file(struct berth_request *request, struct berth_reply *reply)
{
    const struct site *site = berth_request_state(request);
    const char *path = berth_request_param(request, "*");
    struct site_entry *entry;
    int r = site_cache_get(site->cache, path, uv_now(berth_loop()), &entry);

    if (r == 0)
        return send_file(request, reply, entry);
    if (r == -EISDIR)
        return redirect_to_folder(request, reply, path);
    if (r == -EMFILE || r == -ENFILE)
        return 503;
    return r;
}

/* The mount itself comes without a slash, too. */
static int get_root(struct berth_request *request, struct berth_reply *reply)
{
    const struct site *site = berth_request_state(request);
    const char *path = berth_request_path(request);
    struct site_entry *entry;
    int r;

    if (path[strlen(path) - 1] != '/')
        return redirect_to_folder(request, reply, "");
    r = site_cache_get(site->cache, "", uv_now(berth_loop()), &entry);
    return r < 0 ? r : send_file(request, reply, entry);
}

/* ---- Beginning and end ---------------------------------------------------------------------------------------- */

static void site_free(struct site *site)
{
    site_cache_free(site->cache);
    close(site->folder);
    free(site);
}

static int start(const struct berth_settings *settings, void **ret_state)
{
    const char *path = berth_setting(settings, "argument", ".");
    int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), r;
    struct site *site;

    if (folder < 0) {
        r = -errno;
        berth_log(BERTH_LOG_ERROR, "site: the folder \"%s\" cannot be served: %s", path, strerror(-r));
        return r;
    }
    site = calloc(1, sizeof(*site));
    if (!site) {
        close(folder);
        return -ENOMEM;
    }
    site->folder = folder;
    site->cache = site_cache_new(folder);
    if (!site->cache) {
        site_free(site);
        return -ENOMEM;
    }
    *ret_state = site;
    return 0;
}

static void stop(void *state)
{
    site_free(state);
}

static const struct berth_route routes[] = {
    { "GET", "/", get_root },
    { "GET", "/*", get_file },
    { 0 },
};

BERTH_APP("site", .routes = routes, .start = start, .stop = stop);
