#include <berth.h>

static int index_page(struct berth_request *request, struct berth_reply *reply)
{
    return berth_reply_html(reply, 200,
        "<h1>Hello, world!</h1>\n<p>This is the index page.</p>\n");
}

static const struct berth_route routes[] = {
    { "GET", "/index", index_page },
    { 0 },
};

BERTH_APP("hello", .routes = routes);
