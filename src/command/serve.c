#include "command/command.h"
#include "common/log.h"
#include "supervisor/supervisor.h"

int serve_main(int argc, char **argv)
{
    log_init(BERTH_LOG_INFO, "berth"); /* until the settings say otherwise */
    return supervisor_run(argc - 1, argv + 1);
}
