#include "http/pattern.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool text_has_any(const char *text, size_t size, const char *bytes)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] != '\0' && strchr(bytes, text[i]))
            return true;
    return false;
}

static bool name_valid(const char *name, size_t size)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

    return size > 0 && strspn(name, letters) >= size;
}

/* Adds a name whose `size` bytes are already in pattern->name_text at `name`, and ends it there. */
static int name_add(struct pattern *pattern, char *name, size_t size, struct error *error)
{
    name[size] = '\0';
    for (size_t i = 0; i < pattern->name_count; i++)
        if (strcmp(pattern->names[i], name) == 0)
            return error_set(error, -EINVAL, "%s %s: the parameter {%s} is there twice", pattern->what, pattern->text,
                             name);
    if (pattern->name_count == ROUTER_PARAMETERS_MAX)
        return error_set(error, -E2BIG, "%s %s: more than %d parameters", pattern->what, pattern->text,
                         ROUTER_PARAMETERS_MAX);
    pattern->names[pattern->name_count++] = name;
    return 0;
}

static int segment_parse(struct pattern *pattern, const char *text, size_t size, bool last, struct error *error)
{
    char *copy = pattern->name_text + (text - pattern->text);
    struct pattern_segment *segment;

    if (pattern->segment_count == TARGET_SEGMENTS_MAX)
        return error_set(error, -E2BIG, "%s %s: more than %d segments", pattern->what, pattern->text,
                         TARGET_SEGMENTS_MAX);
    segment = &pattern->segments[pattern->segment_count++];
    *segment = (struct pattern_segment){ .kind = PATTERN_FIXED, .text = text, .size = size };
    if (size == 1 && text[0] == '*') {
        segment->kind = PATTERN_REST;
        if (!last)
            return error_set(error, -EINVAL, "%s %s: \"*\" may only be the last segment", pattern->what, pattern->text);
        return name_add(pattern, copy, 1, error);
    }
    if (size > 2 && text[0] == '{' && text[size - 1] == '}' && name_valid(text + 1, size - 2)) {
        segment->kind = PATTERN_PARAMETER;
        return name_add(pattern, copy + 1, size - 2, error);
    }
    if (text_has_any(text, size, "{}*"))
        return error_set(error, -EINVAL,
                         "%s %s: \"%.*s\" is neither plain text nor {name} (letters, digits, \"_\" and \"-\") nor *",
                         pattern->what, pattern->text, (int)size, text);
    if (size == 0 && !last)
        return error_set(error, -EINVAL, "%s %s: an empty segment", pattern->what, pattern->text);
    if ((size == 1 && text[0] == '.') || (size == 2 && text[0] == '.' && text[1] == '.'))
        return error_set(error, -EINVAL, "%s %s: no request can have a \"%.*s\" segment", pattern->what, pattern->text,
                         (int)size, text);
    return 0;
}

/* What may stand nowhere in a pattern: it is compared with decoded paths, and has no query. */
static int bytes_check(const struct pattern *pattern, struct error *error)
{
    if (text_has_any(pattern->text, strlen(pattern->text), "%?#"))
        return error_set(error, -EINVAL, "%s %s: write it decoded, without \"%%\", \"?\" and \"#\"", pattern->what,
                         pattern->text);
    for (const char *at = pattern->text; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return error_set(error, -EINVAL, "%s %s: a control character", pattern->what, pattern->text);
    return 0;
}

static size_t slashes_count(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += *text == '/';
    return count;
}

static int pattern_parse(struct pattern *pattern, struct error *error)
{
    const char *text = pattern->text;
    int r = bytes_check(pattern, error);

    while (r == 0 && *text == '/') {
        size_t size = strcspn(++text, "/");

        r = segment_parse(pattern, text, size, text[size] == '\0', error);
        text += size;
    }
    return r;
}

static int mount_check(const char *mount, struct error *error)
{
    if (*mount != '\0' && (*mount != '/' || mount[strlen(mount) - 1] == '/' || strpbrk(mount, "{}*")))
        return error_set(error, -EINVAL, "mount \"%s\": it must begin with \"/\", not end with it, and be plain text",
                         mount);
    return 0;
}

int pattern_new(const char *what, const char *mount, const char *path, struct pattern **ret_pattern,
                struct error *error)
{
    struct pattern *pattern;
    int r = mount_check(mount, error);

    if (r < 0)
        return r;
    pattern = calloc(1, sizeof(*pattern));
    if (!pattern)
        return error_set(error, -ENOMEM, "out of memory");
    pattern->what = what;
    pattern->mount_itself = *mount != '\0' && strcmp(path, "/") == 0;
    if (asprintf(&pattern->text, "%s%s", mount, path) < 0)
        pattern->text = NULL; /* undefined by then: asprintf(3) */
    pattern->name_text = pattern->text ? strdup(pattern->text) : NULL;
    pattern->segments = pattern->text ? calloc(slashes_count(pattern->text), sizeof(*pattern->segments)) : NULL;
    if (!pattern->text || !pattern->name_text || !pattern->segments)
        r = error_set(error, -ENOMEM, "out of memory");
    else
        r = pattern_parse(pattern, error);
    if (r < 0) {
        pattern_free(pattern);
        return r;
    }
    *ret_pattern = pattern;
    return 0;
}

void pattern_free(struct pattern *pattern)
{
    if (!pattern)
        return;
    free(pattern->segments);
    free(pattern->name_text);
    free(pattern->text);
    free(pattern);
}

static bool segment_matches(const struct pattern_segment *segment, const char *text, size_t size)
{
    if (segment->kind == PATTERN_PARAMETER)
        return size > 0;
    return segment->size == size && memcmp(segment->text, text, size) == 0;
}

bool pattern_matches(const struct pattern *pattern, const struct target *target)
{
    size_t i;

    if (target->segment_count == 0)
        return false;
    for (i = 0; i < pattern->segment_count && i < target->segment_count; i++) {
        const struct pattern_segment *segment = &pattern->segments[i];

        if (segment->kind == PATTERN_REST) /* the last one, and of one segment at least, which may be empty */
            return true;
        if (!segment_matches(segment, target->segments[i], target->segment_sizes[i]))
            return false;
    }
    if (i < target->segment_count)
        return false;
    return i == pattern->segment_count || (pattern->mount_itself && i + 1 == pattern->segment_count);
}
