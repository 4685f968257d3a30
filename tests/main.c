/*
 * Runs the unit tests: all of them, or with an argument the suite of that name.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

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

int main(int argc, char **argv)
{
    SRunner *runner = srunner_create(NULL);
    int failed, ran;

    for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
        if (argc < 2 || strcmp(argv[1], suites[i].name) == 0)
            srunner_add_suite(runner, suites[i].make());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    ran = srunner_ntests_run(runner);
    srunner_free(runner);
    return failed == 0 && ran > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
