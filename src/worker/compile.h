/*
 * `berth compile SOURCE`: makes a shared object of an application's source and writes it to CONTRACT_OUTPUT_FD
 * (common/contract.h). The supervisor starts it for each APP that ends in .c, under the workers' uid.
 */
#ifndef BERTH_WORKER_COMPILE_H
#define BERTH_WORKER_COMPILE_H

/* Runs ${CC:-cc} $CFLAGS; its messages go to standard error as they are. Exit code 0, or EXIT_APPLICATION after a line
 * that says why. */
int compile_main(int argc, char **argv);

/* A compiler that takes longer is ended. Tests have less patience. */
#define COMPILE_LIMIT_SECONDS 60
extern unsigned int compile_limit_ms;

#endif
