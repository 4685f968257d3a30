/*
 * `status`: the server about itself. Whether it lives is for everybody who may connect to see; what it serves and
 * does, for the server's own user and root, unless rules say otherwise.
 */
#define BERTH_APP_SYMBOL app_status
#include <berth.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

/* All of it is as of now. */
static int no_store(struct berth_reply *reply)
{
    return berth_reply_header(reply, "Cache-Control", "no-store");
}

static int reply_json(struct berth_reply *reply, unsigned int status, json_t *json)
{
    int r = no_store(reply);

    if (r == 0)
        r = json ? berth_reply_json(reply, status, json) : -ENOMEM;
    json_decref(json);
    return r;
}

/* Asked every second by whoever watches: prepared once. */
static int ping(struct berth_request *request, struct berth_reply *reply)
{
    return berth_reply_prepared(reply, 200, berth_request_state(request));
}

static int version(struct berth_request *request, struct berth_reply *reply)
{
    json_t *json;
    int r = berth_server_version(&json);

    return r < 0 ? r : reply_json(reply, 200, json);
}

static int healthz(struct berth_request *request, struct berth_reply *reply)
{
    bool draining = berth_server_is_draining();

    return reply_json(reply, draining ? 503 : 200, json_pack("{s:s}", "status", draining ? "draining" : "ready"));
}

static int routes_page(struct berth_request *request, struct berth_reply *reply)
{
    json_t *json;
    int r = berth_server_routes(&json);

    return r < 0 ? r : reply_json(reply, 200, json);
}

static int metrics(struct berth_request *request, struct berth_reply *reply)
{
    char *text;
    int r = berth_server_metrics(&text);

    if (r < 0)
        return r;
    r = no_store(reply);
    if (r == 0)
        r = berth_reply_bytes(reply, 200, "text/plain; version=0.0.4; charset=utf-8", text, strlen(text));
    free(text);
    return r;
}

static const struct berth_route routes[] = {
    { "GET", "/_ping", ping },
    { "GET", "/version", version },
    { "GET", "/healthz", healthz },
    { "GET", "/routes", routes_page, .self_only = true },
    { "GET", "/metrics", metrics, .self_only = true },
    { 0 },
};

static int start(const struct berth_settings *settings, void **ret_state)
{
    struct berth_prepared *pong;
    int r = berth_prepared_bytes("text/plain; charset=utf-8", "OK", 2, NULL, NULL, &pong);

    if (r < 0)
        return r;
    r = berth_prepared_header(pong, "Cache-Control", "no-store");
    if (r < 0) {
        berth_prepared_free(pong);
        return r;
    }
    *ret_state = pong;
    return 0;
}

static void stop(void *state)
{
    berth_prepared_free(state);
}

BERTH_APP("status", .routes = routes, .start = start, .stop = stop);
