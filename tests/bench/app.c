/*
 * The application that `make bench` measures berth with: the same page as a constant, and made anew for each request
 * from a path parameter.
 */
#include <berth.h>

static struct berth_constant page =
    BERTH_CONSTANT(200, "text/html; charset=utf-8", "<h1>Hello, world!</h1>\n<p>This is the index page.</p>\n");

static int constant_page(struct berth_request *request, struct berth_reply *reply)
{
    (void)request;
    return berth_reply_constant(reply, &page);
}

static int dynamic_page(struct berth_request *request, struct berth_reply *reply)
{
    return berth_reply_text(reply, 200, "<h1>Hello, %s!</h1>\n<p>This is the index page.</p>\n",
                            berth_request_param(request, "name"));
}

static const struct berth_route routes[] = {
    { "GET", "/constant", constant_page },
    { "GET", "/dynamic/{name}", dynamic_page },
    { 0 },
};

BERTH_APP("bench", .routes = routes);
