/*
 * The examination of `berth doctor`: what can make a proxy answer 502, cause by cause, until one is found. Nothing is
 * changed on the machine; the server at the socket sees one connection and one request, or two connections.
 */
#ifndef BERTH_DOCTOR_EXAMINATION_H
#define BERTH_DOCTOR_EXAMINATION_H

#include <stdio.h>

#include "doctor/visitor.h"

struct question {
    const char *path; /* or "@name" */
    const char *host; /* under which the proxy asks, a valid one (http/host.h) */
    const struct visitor *visitor;
};

/* Tells `stream` what is found. 0: all is well. 1: something is wrong, and the last line is the remedy. -errno:
 * something keeps us from looking. */
int examination_run(const struct question *question, FILE *stream);

#endif
