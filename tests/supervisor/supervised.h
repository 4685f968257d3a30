/*
 * A supervisor as a program, in a folder of its own (scratch.h), with the workers of stand_in.c. What must come is
 * polled for, with a deadline.
 */
#ifndef TESTS_SUPERVISOR_SUPERVISED_H
#define TESTS_SUPERVISOR_SUPERVISED_H

#include <stdbool.h>
#include <sys/types.h>

enum { DEADLINE_MS = 15000 };

#define WAIT_FOR(condition)                                                                                            \
    do {                                                                                                               \
        long deadline = now_ms() + DEADLINE_MS;                                                                        \
        while (!(condition)) {                                                                                         \
            if (now_ms() > deadline)                                                                                   \
                ck_abort_msg("never came: %s; log:\n%s", #condition, log_text());                                      \
            pause_a_bit();                                                                                             \
        }                                                                                                              \
    } while (0)

long now_ms(void);
void pause_a_bit(void);

/* A checked fixture: the folder, with app.so in it, which says "ready a". Kills the supervisor that is left. */
void supervised_setup(void);
void supervised_teardown(void);

extern pid_t supervisor; /* 0: none */

/* Runs `berth serve` in the folder, with the arguments up to a NULL. Its standard error goes to FOLDER/log; `listener`,
 * if there is one, becomes its descriptor 9. */
void start_with(int listener, ...);
#define START(...) start_with(-1, __VA_ARGS__, NULL)

const char *stand_in_program(void); /* what it runs */
void send_signal(int number);
int wait_end(void); /* its exit code */

const char *log_text(void);
bool logged(const char *text);
unsigned int count_in(const char *text, const char *what);

/* Sends a command to whichever worker accepts at the path, or at FOLDER/s, and returns its answer; NULL if there was
 * none. ask_pid takes the answer's first word for a pid, 0 if there was none. */
const char *ask_at(const char *path, const char *command);
const char *ask(const char *command);
pid_t ask_pid(const char *command);
pid_t wait_worker(void); /* until one answers; its pid */
bool answers_with(const char *mark);
bool is_gone(pid_t pid);

#endif
