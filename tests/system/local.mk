# End-to-end tests: scripts against the real program. Each says what a user does and sees; lib.sh has the verbs.
TEST_EXTENSIONS = .sh
SYSTEM_TESTS =
TESTS += $(SYSTEM_TESTS)
EXTRA_DIST += tests/system/lib.sh $(SYSTEM_TESTS)

# Their tools: a load generator that tells kinds of failure apart, raw bytes, a receiver of sd_notify's messages, and an
# application that misbehaves on request.
check_PROGRAMS += tests/support/load tests/support/raw tests/support/receive
tests_support_load_SOURCES = tests/support/load.c
tests_support_raw_SOURCES = tests/support/raw.c
tests_support_receive_SOURCES = tests/support/receive.c
check_DATA = tests/support/probe.so
tests/support/probe.so: include/berth.h
EXTRA_DIST += tests/support/probe.c
CLEANFILES += tests/support/probe.so
