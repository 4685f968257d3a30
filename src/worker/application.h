/*
 * The applications of a worker: loaded from the modules that the supervisor opened, started, mounted on a router, and
 * stopped.
 */
#ifndef BERTH_WORKER_APPLICATION_H
#define BERTH_WORKER_APPLICATION_H

#include "common/contract.h"
#include "common/counters.h"
#include "http/router.h"

struct applications;
struct http_application;

/*
 * Loads and starts one application for each of the settings', from the module fds that begin at `module_fd` (each is
 * closed), and adds its routes to the router, with a row for each to the counters. -EINVAL for what is no module of
 * ours, for rules that name nobody, and whatever a `start` returned; `error` says which and why. On failure nothing
 * stays started.
 */
int applications_start(const struct settings *settings, int module_fd, struct router *router,
                       struct counters_slot *counters, struct applications **ret_applications, struct error *error);

/* All of them, from one to the next, if any has rules; else NULL. */
const struct http_application *applications_ruled(const struct applications *applications);

/* What berth_server_routes gives. -ENOMEM. */
int applications_describe(const struct applications *applications, struct json_t **ret_json);

/* The path of the first GET route that needs no parameter, below its mount; "" if there is none, or no room for it. */
void applications_first_page(const struct applications *applications, char *ret_path, size_t size);

/* Calls every `stop`, the last started first, and frees. NULL is allowed. The modules stay mapped: the process ends. */
void applications_stop(struct applications *applications);

#endif
