/*
 * The signals of a child that the supervisor commands by its control channel.
 */
#ifndef BERTH_COMMON_SIGNALS_H
#define BERTH_COMMON_SIGNALS_H

/*
 * Commands come by the control channel alone: not by a service manager that signals the whole group, nor a terminal.
 * Handlers that do nothing rather than SIG_IGN, which the children of an application would inherit.
 * A log that nobody reads (PIPE), or that may not grow (XFSZ), does not end it either.
 * Those that were blocked up to here (contract.h) are not blocked any more.
 */
void signals_ignore(void);

#endif
