#include "common/signals.h"

#include <signal.h>
#include <stddef.h>

static void ignored(int signal_number)
{
    (void)signal_number;
}

void signals_ignore(void)
{
    static const int signals[] = { SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGUSR1,
                                   SIGUSR2, SIGTTIN, SIGTTOU, SIGPIPE, SIGXFSZ };
    struct sigaction action = { .sa_handler = ignored, .sa_flags = SA_RESTART };
    sigset_t none;

    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction(signals[i], &action, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}
