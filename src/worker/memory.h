/*
 * How much memory a process has, as the kernel tells (proc(5)).
 */
#ifndef BERTH_WORKER_MEMORY_H
#define BERTH_WORKER_MEMORY_H

#include <stdint.h>
#include <sys/types.h>

/* Bytes in memory, those that are shared with others included (RSS). Everybody may ask, unless /proc hides processes.
 * 0: not known. */
uint64_t memory_resident(pid_t pid);

/* The same with each shared page divided by how many share it (PSS). For a process of another user the kernel does
 * not tell. 0: not known. */
uint64_t memory_proportional(pid_t pid);

#endif
