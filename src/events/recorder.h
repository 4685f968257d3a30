/*
 * The recorder: the process that writes the log of events, started by the supervisor as `berth recorder` with the
 * descriptors that contract.h lists. It ends when it is told to, or when the control channel does: what waits in its
 * sockets is stored first.
 */
#ifndef BERTH_EVENTS_RECORDER_H
#define BERTH_EVENTS_RECORDER_H

int recorder_main(int argc, char **argv);

#endif
