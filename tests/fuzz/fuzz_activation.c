/* Activation: the three variables give as many clean names as there are descriptors, or one line and nothing. */
#include "socket/activation_names.h"

#include <errno.h>

#include "property.h"

enum { SELF = 1234 };

/* Joined again, the names are what was given. */
static void check_names(char **names, size_t count, const char *given)
{
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(names[i]);

        PROPERTY(length <= ACTIVATION_NAME_MAX && !strchr(names[i], ':'));
        for (const char *c = names[i]; *c; c++)
            PROPERTY((unsigned char)*c >= 0x20 && *c != 0x7f);
        if (!given) {
            PROPERTY(length == 0);
            continue;
        }
        PROPERTY(strncmp(given, names[i], length) == 0);
        PROPERTY(given[length] == (i + 1 < count ? ':' : '\0'));
        given += length + 1;
    }
}

/* The input is up to three lines: LISTEN_PID, LISTEN_FDS, and the rest as LISTEN_FDNAMES; one that is missing is not
 * set. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = text_new(data, size), *pid = text, *fds = strchr(text, '\n'), *given = NULL;
    char *untouched = NULL, **names = &untouched;
    size_t count = 77;
    struct error error = { "" };
    int r;

    if (fds) {
        *fds++ = '\0';
        given = strchr(fds, '\n');
    }
    if (given)
        *given++ = '\0';
    r = activation_names_parse(SELF, pid, fds, given, &names, &count, &error);
    PROPERTY(r == 0 || r == -EINVAL);
    if (r < 0) {
        PROPERTY(names == &untouched && count == 77);
        PROPERTY(error.text[0] != '\0');
        for (const char *c = error.text; *c; c++)
            PROPERTY((unsigned char)*c >= 0x20 && *c != 0x7f);
    } else {
        PROPERTY(count <= ACTIVATION_FDS_MAX && (count > 0) == (names != NULL));
        PROPERTY(count == 0 || (fds && strtoul(pid, NULL, 10) == SELF && strtoul(fds, NULL, 10) == count));
        check_names(names, count, given);
        activation_names_free(names, count);
    }
    free(text);
    return 0;
}
