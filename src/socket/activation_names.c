#include "socket/activation_names.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/number.h"

/* What may be wrong with a variable is shown, but neither whole nor raw: it comes from outside and goes to a terminal.
 */
enum { SHOWN_MAX = 40 };

static const char *shown(const char *text, char buffer[SHOWN_MAX + 1])
{
    size_t i;

    for (i = 0; i < SHOWN_MAX && text[i] != '\0'; i++)
        buffer[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i];
    buffer[i] = '\0';
    return buffer;
}

static size_t names_count(const char *names)
{
    size_t count = 1;

    for (; *names != '\0'; names++)
        count += *names == ':';
    return count;
}

static int name_check(const char *name, size_t length, size_t index, struct error *error)
{
    if (length > ACTIVATION_NAME_MAX)
        return error_set(error, -EINVAL, "LISTEN_FDNAMES: name %zu has %zu bytes; the limit is %d", index + 1, length,
                         ACTIVATION_NAME_MAX);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            return error_set(error, -EINVAL, "LISTEN_FDNAMES: name %zu has a control character in it", index + 1);
    return 0;
}

/* `texts` has exactly `count` names; several may be the same, and an empty one is a name like any other. */
static int names_split(const char *texts, char **names, size_t count, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        size_t length = strcspn(texts, ":");
        int r = name_check(texts, length, i, error);

        if (r < 0)
            return r;
        names[i] = strndup(texts, length);
        if (!names[i])
            return error_set(error, -ENOMEM, "out of memory");
        texts += length + 1;
    }
    return 0;
}

static int names_blank(char **names, size_t count, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        names[i] = strdup("");
        if (!names[i])
            return error_set(error, -ENOMEM, "out of memory");
    }
    return 0;
}

int activation_names_parse(pid_t self, const char *pid, const char *fds, const char *names, char ***ret_names,
                           size_t *ret_count, struct error *error)
{
    char buffer[SHOWN_MAX + 1];
    uint64_t whom = 0, count = 0;
    char **list = NULL;
    int r;

    if (pid && fds) {
        if (number_parse(pid, 1, INT32_MAX, &whom, NULL) < 0)
            return error_set(error, -EINVAL, "LISTEN_PID: \"%s\" is not a process id", shown(pid, buffer));
        /* The variables are inherited: ones for another process say nothing to us, be they right or wrong. */
        if (whom == (uint64_t)self && number_parse(fds, 0, ACTIVATION_FDS_MAX, &count, NULL) < 0)
            return error_set(error, -EINVAL, "LISTEN_FDS: \"%s\" is not a number from 0 to %d", shown(fds, buffer),
                             ACTIVATION_FDS_MAX);
    }
    if (count == 0) {
        *ret_names = NULL;
        *ret_count = 0;
        return 0;
    }
    if (names && names_count(names) != count)
        return error_set(error, -EINVAL,
                         "LISTEN_FDNAMES names %zu descriptors, and LISTEN_FDS says %zu: set as many "
                         "names, or none",
                         names_count(names), (size_t)count);
    list = calloc(count, sizeof(*list));
    if (!list)
        return error_set(error, -ENOMEM, "out of memory");
    r = names ? names_split(names, list, count, error) : names_blank(list, count, error);
    if (r < 0) {
        activation_names_free(list, count);
        return r;
    }
    *ret_names = list;
    *ret_count = count;
    return 0;
}

void activation_names_free(char **names, size_t count)
{
    if (!names)
        return;
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}
