#include "command/command.h"
#include "common/log.h"
#include "common/settings.h"
#include "supervisor/supervisor.h"
#include "worker/compile.h"

void serve_help(FILE *stream)
{
    fputs("Usage: berth serve [OPTION …] [APP | /MOUNT=APP …]\n"
          "\n"
          "Serves applications on Unix domain sockets. An APP is a module (./hello.so), a C source (hello.c), or\n"
          "built in: site:DIR, the files below a folder; status, the server about itself (/_ping, /version, /healthz,\n"
          "/routes, /metrics); events, the log of events. /MOUNT=APP puts it below a path. Without an APP the site\n"
          "that comes with berth, status, and events at /events are served.\n"
          "\n",
          stream);
    settings_help(stream);
    fputs("\n"
          "TIME is in seconds, or has a unit: 500ms, 30s, 2m, 1h. SIZE is in bytes, or has one: 64K, 1M, 2G.\n"
          "Each option is also a variable (--socket-mode: BERTH_SOCKET_MODE, lists with commas) and a key of\n"
          "the --config file (socket-mode = 0660), whose [app /MOUNT] sections hold the applications and whose\n"
          "[listen NAME] sections hold listeners with a mode and an owner of their own. A path that is not\n"
          "absolute begins where berth was started, in the file as well. APPs given here take the place of all those\n"
          "of the file; one at the mount of such a section gets its settings. \"berth check\" says what is wrong\n"
          "with all of this.\n"
          "\n"
          "A C source is compiled with $CC (cc), $CFLAGS (-O2 -g) and, at the end, $LDLIBS; a compiler that\n",
          stream);
    fprintf(stream, "takes longer than %d s is ended.\n", COMPILE_LIMIT_SECONDS);
}

int serve_main(int argc, char **argv)
{
    log_init(BERTH_LOG_INFO, "berth"); /* until the settings say otherwise */
    return supervisor_run(argc - 1, argv + 1);
}
