/* Every suite of unit tests: one for each unit, in the file tests/FOLDER/test_NAME.c as `Suite *suite_NAME(void)`. */
