/*
 * A worker: one process of many that serve the same listeners. It is started by the supervisor with what contract.h
 * lists, loads the applications, serves, and obeys the control channel alone.
 */
#ifndef BERTH_WORKER_WORKER_H
#define BERTH_WORKER_WORKER_H

/* `berth worker NUMBER`. Returns the exit code. */
int worker_main(int argc, char **argv);

#endif
