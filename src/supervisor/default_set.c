#include "supervisor/default_set.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "apps/apps.h"

/* More than there are in builtin_default_set. */
#define APPS_MAX 16

static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* `tail` in the folder above the program's own, resolved. */
static bool beside(const char *program, const char *tail, char *ret_path)
{
    const char *slash = strrchr(program, '/');
    char path[PATH_MAX];
    int length = snprintf(path, sizeof(path), "%.*s/../%s", slash ? (int)(slash - program) : 0, program, tail);

    return slash && length > 0 && (size_t)length < sizeof(path) && realpath(path, ret_path);
}

/* Installed, with what it was installed with, wherever that is now; in the folder where it was built, which is known by
 * its config.status; or where it was configured to go. */
static const char *find_site(const char *program, char *path)
{
    char ignored[PATH_MAX];

    if (beside(program, "share/berth/www", path) && is_folder(path))
        return path;
    if (beside(program, "config.status", ignored) && beside(program, "www", path) && is_folder(path))
        return path;
    return is_folder(BERTH_WWWDIR) ? BERTH_WWWDIR : NULL;
}

/* NULL without memory. */
static char *make_app(const char *app, const char *site)
{
    const char *hole = strstr(app, "%s");
    char *text;

    if (!hole)
        return strdup(app);
    return asprintf(&text, "%.*s%s%s", (int)(hole - app), app, site, hole + 2) < 0 ? NULL : text;
}

int default_set_load(struct settings *ret_settings, int argc, char **argv, const char *program,
                     struct mistakes *mistakes)
{
    char path[PATH_MAX], *arguments[APPS_MAX + 1] = { NULL }, **all = NULL;
    const char *site = find_site(program, path);
    size_t count = 0;
    int r = 0;

    for (size_t i = 0; r == 0 && builtin_default_set[i] && count < APPS_MAX; i++) {
        if (!site && strstr(builtin_default_set[i], "%s"))
            continue;
        arguments[count] = make_app(builtin_default_set[i], site);
        r = arguments[count++] ? 0 : -ENOMEM;
    }
    if (r == 0)
        all = calloc((size_t)argc + count + 1, sizeof(*all));
    if (all) {
        memcpy(all, argv, (size_t)argc * sizeof(*all));
        memcpy(all + argc, arguments, count * sizeof(*all));
        r = settings_load(ret_settings, argc + (int)count, all, mistakes);
    } else
        r = mistakes_add(mistakes, -ENOMEM, 0, "out of memory");
    free(all);
    for (size_t i = 0; i < count; i++)
        free(arguments[i]);
    return r;
}
