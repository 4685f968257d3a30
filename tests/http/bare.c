#include "http/bare.h"

#include <check.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "socket/scratch.h"

enum { RUNS = 10 };

struct MHD_Daemon *library;
int client;
unsigned int closed;
static struct MHD_Response *(*answers)(struct MHD_Connection *);

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **request)
{
    struct MHD_Response *response;
    enum MHD_Result result;

    (void)context;
    (void)url;
    (void)method;
    (void)version;
    (void)data;
    (void)size;
    if (!*request) {
        *request = &library;
        return MHD_YES;
    }
    response = answers(connection);
    result = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return result;
}

static void connection_changed(void *context, struct MHD_Connection *connection, void **data,
                               enum MHD_ConnectionNotificationCode what)
{
    (void)context;
    (void)connection;
    (void)data;
    closed += what == MHD_CONNECTION_NOTIFY_CLOSED;
}

int bare_connect(void)
{
    int s = socket_connect(scratch_path("s"));

    ck_assert_int_ge(s, 0);
    return s;
}

void bare_start(struct MHD_Response *(*answer)(struct MHD_Connection *), const struct MHD_OptionItem *options)
{
    int listener;

    scratch_setup();
    listener = socket_bound(scratch_path("s"), SOCK_STREAM, 8);
    ck_assert_int_eq(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
    answers = answer;
    closed = 0;
    library = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO, 0, NULL, NULL, handle,
                               NULL,                                                   //
                               MHD_OPTION_LISTEN_SOCKET, listener,                     //
                               MHD_OPTION_NOTIFY_CONNECTION, connection_changed, NULL, //
                               MHD_OPTION_ARRAY, options,                              //
                               MHD_OPTION_END);
    ck_assert_ptr_nonnull(library);
    client = bare_connect();
}

void bare_stop(void)
{
    close(client);
    MHD_stop_daemon(library);
    scratch_teardown();
}

void bare_run(void)
{
    for (int i = 0; i < RUNS; i++)
        ck_assert_int_eq(MHD_run(library), MHD_YES);
}
