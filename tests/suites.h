/* Every suite of unit tests: one for each unit, in the file tests/FOLDER/test_NAME.c as `Suite *suite_NAME(void)`. */
SUITE(accept)
SUITE(arena)
SUITE(cookie)
SUITE(field)
SUITE(host)
SUITE(query)
SUITE(router)
SUITE(target)
