/*
 * Runs the unit tests: all of them, or with an argument the suite of that name.
 */
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SUITE(name) Suite *suite_##name(void);
#include "suites.h"
#undef SUITE

static const struct {
    const char *name;
    Suite *(*make)(void);
} suites[] = {
#define SUITE(name) { #name, suite_##name },
#include "suites.h"
#undef SUITE
};

static bool run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed, ran;

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    ran = srunner_ntests_run(runner);
    srunner_free(runner);
    return failed == 0 && ran > 0;
}

/* Each test is a process of its own, made from the one that runs its suite: that has not grown by the suites before. */
static bool run_apart(Suite *(*make)(void))
{
    pid_t pid = fork();
    int status;

    if (pid == 0)
        exit(run(make()) ? EXIT_SUCCESS : EXIT_FAILURE);
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

int main(int argc, char **argv)
{
    bool found = false, passed = true;

    for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
        if (argc > 1 && strcmp(argv[1], suites[i].name) != 0)
            continue;
        found = true;
        passed = (argc > 1 ? run(suites[i].make()) : run_apart(suites[i].make)) && passed;
    }
    return found && passed ? EXIT_SUCCESS : EXIT_FAILURE;
}
