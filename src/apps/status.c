#define BERTH_APP_SYMBOL app_status
#include <berth.h>

static const struct berth_route routes[] = {
    { 0 },
};

BERTH_APP("status", .routes = routes);
