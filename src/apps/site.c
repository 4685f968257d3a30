#define BERTH_APP_SYMBOL app_site
#include <berth.h>

static const struct berth_route routes[] = {
    { 0 },
};

BERTH_APP("site", .routes = routes);
