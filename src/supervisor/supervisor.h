/*
 * The supervisor: owns the sockets, starts the workers, replaces, reloads and ends them. It parses nothing that comes
 * from clients and runs no application code.
 */
#ifndef BERTH_SUPERVISOR_SUPERVISOR_H
#define BERTH_SUPERVISOR_SUPERVISOR_H

/* `berth serve` with the arguments that follow it. Returns the exit code, after all children have ended. */
int supervisor_run(int argc, char **argv);

#endif
