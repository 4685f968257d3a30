/*
 * The settings' list of assignments as bytes: their number, then names and texts in turn, each NUL-terminated. The
 * number makes a list that was cut between two of them as wrong as one that was cut within.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/number.h"
#include "common/settings_parts.h"

int settings_pack(const struct settings *settings, FILE *stream)
{
    fprintf(stream, "%zu%c", settings->assignment_count, 0);
    for (size_t i = 0; i < settings->assignment_count; i++)
        fprintf(stream, "%s%c%s%c", settings->assignments[i].name, 0, settings->assignments[i].text, 0);
    return ferror(stream) ? -ENOMEM : 0;
}

int settings_write(const struct settings *settings, int fd)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&bytes, &size);
    int r;

    if (!stream)
        return -ENOMEM;
    r = settings_pack(settings, stream);
    if (fclose(stream) != 0)
        r = -ENOMEM;
    if (r == 0)
        r = output_write(fd, bytes, size);
    free(bytes);
    return r;
}

const char *packed_take(const char **bytes, size_t *size)
{
    const char *text = *bytes;
    const char *end = *size > 0 ? memchr(text, 0, *size) : NULL;

    if (!end)
        return NULL;
    *size -= (size_t)(end + 1 - text);
    *bytes = end + 1;
    return text;
}

static int assignments_take(const char **bytes, size_t *size, struct assignment_list *list, struct error *error)
{
    const char *text = packed_take(bytes, size);
    uint64_t count;
    int r;

    if (!text)
        return error_set(error, -EINVAL, "the settings end early");
    r = number_parse(text, 0, SETTINGS_ASSIGNED_MAX, &count, error);
    if (r < 0)
        return error_set(error, -EINVAL, "the settings' count: %s", error ? error->text : "");
    for (uint64_t i = 0; i < count; i++) {
        const char *name = packed_take(bytes, size), *value = name ? packed_take(bytes, size) : NULL;
        struct assignment assignment = { .level = ASSIGNMENT_FLAG };

        if (!value)
            return error_set(error, -EINVAL, "the settings end early");
        assignment.option = settings_option(name);
        r = assignment_add(list, &assignment, name, value);
        if (r < 0)
            return error_set(error, r, "%s", strerror(-r));
    }
    if (*size > 0)
        return error_set(error, -EINVAL, "the settings go on after their end");
    return 0;
}

int settings_unpack(const char *bytes, size_t size, struct settings *ret_settings, struct error *error)
{
    struct assignment_list list = { 0 };
    struct mistakes mistakes = { 0 };
    struct settings settings;
    int r = assignments_take(&bytes, &size, &list, error);

    if (r < 0) {
        assignment_list_done(&list);
        return r;
    }
    settings_from_assignments(&list, &settings, &mistakes);
    r = mistakes.r;
    if (r < 0) {
        error_set(error, r, "%s", mistakes.count > 0 ? mistakes.items[0].text : strerror(-r));
        settings_done(&settings);
    } else {
        *ret_settings = settings;
    }
    mistakes_done(&mistakes);
    return r;
}

int settings_read(struct settings *ret_settings, int fd, struct error *error)
{
    size_t size;
    char *bytes;
    int r;

    r = input_read(fd, SETTINGS_PACKED_MAX, &bytes, &size);
    if (r < 0)
        return error_set(error, r, "the settings cannot be read: %s", strerror(-r));
    r = settings_unpack(bytes, size, ret_settings, error);
    free(bytes);
    return r;
}
