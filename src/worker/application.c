#include "worker/application.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "apps/apps.h"
#include "http/server.h"
#include "worker/module_file.h"

struct application {
    struct http_application http; /* what the router's routes point to */
    char *root;
    const struct berth_app *app;
    const struct berth_settings *settings;
    bool started;
};

struct applications {
    struct counters_slot *counters;
    unsigned int row_count; /* of all their routes */
    size_t count;
    struct application items[];
};

/* dlerror() begins with the path that was opened, which says nothing to a person. */
static const char *load_error(const char *path)
{
    const char *text = dlerror();
    size_t size = strlen(path);

    if (text && strncmp(text, path, size) == 0 && text[size] == ':')
        text += size + 1 + (text[size + 1] == ' ');
    return text ? text : "unknown reason";
}

static bool name_valid(const char *name)
{
    return name[0] != '\0' &&
           name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")] == '\0';
}

/* The module is the descriptor, not a path: so a replacement loads what its siblings run, whatever lies at the path
 * now. */
static int load_module(const char *name, int fd, const struct berth_app **ret_app, struct error *error)
{
    const struct berth_app *app;
    char path[64];
    void *module;
    int r = module_file_check(name, fd, error);

    if (r < 0)
        return r;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    close(fd);
    if (!module)
        return error_set(error, -EINVAL, "%s cannot be loaded: %s", name, load_error(path));
    app = dlsym(module, "berth_app");
    if (!app)
        return error_set(error, -EINVAL, "%s is no application: it has no symbol berth_app, which BERTH_APP(…) makes",
                         name);
    if (app->abi != BERTH_ABI)
        return error_set(error, -EINVAL, "%s was compiled for ABI %u of berth.h, this is ABI %u: compile it again",
                         name, app->abi, BERTH_ABI);
    if (!app->name || !app->routes)
        return error_set(error, -EINVAL, "%s: BERTH_APP(…) needs a name and .routes", name);
    if (!name_valid(app->name))
        return error_set(error, -EINVAL, "%s: BERTH_APP(\"%s\", …): a name is made of letters, digits, '-' and '_'",
                         name, app->name);
    *ret_app = app;
    return 0;
}

static int add_routes(struct applications *all, struct application *application, const char *mount,
                      struct router *router, struct error *error)
{
    application->http.routes = application->app->routes;
    application->http.first_row = all->row_count;
    for (const struct berth_route *route = application->app->routes; route->method; route++) {
        int r = router_add(router, mount, route, &application->http, error);

        if (r < 0)
            return error_set(error, r, "%s: %s", application->settings->app, error->text);
        counters_add_row(all->counters, all->row_count++, route->method, mount, route->path);
    }
    return 0;
}

/* A built-in one needs no module: the next descriptor is left to the next. */
static int find_application(const struct berth_settings *own, int *module_fd, const struct berth_app **ret_app,
                            struct error *error)
{
    const char *argument;
    const struct builtin *builtin = builtin_find(own->app, &argument);

    if (!builtin)
        return load_module(own->app, (*module_fd)++, ret_app, error);
    *ret_app = builtin->app;
    return 0;
}

static int start_application(struct applications *all, const struct settings *settings, size_t index, int *module_fd,
                             struct router *router, struct error *error)
{
    struct application *application = &all->items[index];
    const struct berth_settings *own = &settings->apps[index];
    int r = find_application(own, module_fd, &application->app, error);

    if (r < 0)
        return r;
    if (asprintf(&application->root, "%s%s", settings->root_path ? settings->root_path : "", own->mount) < 0) {
        application->root = NULL;
        return -ENOMEM;
    }
    application->http.root = application->root;
    application->http.mount = own->mount;
    application->http.next = index + 1 < all->count ? &all->items[index + 1].http : NULL;
    application->settings = own;
    r = rules_new(own->mount, &own->rules, &application->http.rules, error);
    if (r < 0)
        return error_set(error, r, "%s: %s", own->app, error->text);
    r = add_routes(all, application, own->mount, router, error);
    if (r < 0)
        return r;
    if (application->app->start)
        r = application->app->start(own, &application->http.state);
    if (r != 0)
        return error_set(error, r < 0 ? r : -EINVAL, "the start hook of %s (%s) refused: %s", application->app->name,
                         own->app, r < 0 ? strerror(-r) : "it returned neither 0 nor a negative errno");
    application->started = true;
    return 0;
}

int applications_start(const struct settings *settings, int module_fd, struct router *router,
                       struct counters_slot *counters, struct applications **ret_applications, struct error *error)
{
    struct applications *applications =
        calloc(1, sizeof(*applications) + settings->app_count * sizeof(applications->items[0]));
    int r = 0;

    if (!applications)
        return error_set(error, -ENOMEM, "no memory for the applications");
    applications->counters = counters;
    applications->row_count = COUNTERS_ROW_FIRST;
    applications->count = settings->app_count;
    for (size_t i = 0; r == 0 && i < settings->app_count; i++)
        r = start_application(applications, settings, i, &module_fd, router, error);
    if (r < 0) {
        applications_stop(applications);
        return r;
    }
    *ret_applications = applications;
    return 0;
}

const struct http_application *applications_ruled(const struct applications *applications)
{
    for (size_t i = 0; i < applications->count; i++)
        if (applications->items[i].http.rules)
            return &applications->items[0].http;
    return NULL;
}

/* An application is at its mount itself as well; but a folder, whose pages are named beside each other, is at "/". */
static const char *page_path(const struct application *application, const struct berth_route *page)
{
    if (strcmp(page->path, "/") != 0 || *application->settings->mount == '\0')
        return page->path;
    for (const struct berth_route *route = application->app->routes; route->method; route++)
        if (strcmp(route->path, "/*") == 0)
            return page->path;
    return "";
}

void applications_first_page(const struct applications *applications, char *ret_path, size_t size)
{
    for (size_t i = 0; i < applications->count; i++) {
        const struct application *application = &applications->items[i];

        for (const struct berth_route *route = application->app->routes; route->method; route++)
            if (strcmp(route->method, "GET") == 0 && !strpbrk(route->path, "{*") &&
                (size_t)snprintf(ret_path, size, "%s%s", application->settings->mount, page_path(application, route)) <
                    size)
                return;
    }
    ret_path[0] = '\0';
}

void applications_stop(struct applications *applications)
{
    if (!applications)
        return;
    for (size_t i = applications->count; i-- > 0;) {
        struct application *application = &applications->items[i];

        if (application->started && application->app->stop)
            application->app->stop(application->http.state);
        rules_free(application->http.rules);
        free(application->root);
    }
    free(applications);
}

/* ---- what there is ---- */

static json_t *describe_routes(const struct application *application)
{
    json_t *routes = json_array();

    for (const struct berth_route *route = application->app->routes; route->method; route++)
        json_array_append_new(routes, json_pack("{s:s, s:s+}", "method", route->method, "path",
                                                application->settings->mount, route->path));
    return routes;
}

static json_t *describe(const struct application *application)
{
    const char *mount = application->settings->mount;

    return json_pack("{s:s, s:s, s:s, s:o}", "name", application->app->name, "app", application->settings->app, "mount",
                     mount[0] != '\0' ? mount : "/", "routes", describe_routes(application));
}

int applications_describe(const struct applications *applications, struct json_t **ret_json)
{
    json_t *list = json_array(), *json;

    for (size_t i = 0; i < applications->count; i++)
        json_array_append_new(list, describe(&applications->items[i]));
    json = json_pack("{s:o}", "applications", list);
    if (!json || json_array_size(list) != applications->count) {
        json_decref(json);
        return -ENOMEM;
    }
    *ret_json = json;
    return 0;
}
