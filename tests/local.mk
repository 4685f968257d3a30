# Unit tests: one program, one suite for each unit.
if HAVE_CHECK
check_PROGRAMS += tests/unit
TESTS += tests/unit
tests_unit_SOURCES = tests/main.c tests/suites.h
tests_unit_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests $(CHECK_CFLAGS)
tests_unit_LDFLAGS = -rdynamic
tests_unit_LDADD = $(WHOLE_LIBBERTH) $(BERTH_LIBS) $(CHECK_LIBS)
tests_unit_DEPENDENCIES = libberth.a
endif

include tests/common/local.mk
include tests/socket/local.mk
include tests/supervisor/local.mk
include tests/worker/local.mk
include tests/events/local.mk
include tests/http/local.mk
include tests/apps/local.mk
include tests/access/local.mk
include tests/doctor/local.mk
include tests/sockets/local.mk
include tests/system/local.mk
include tests/fuzz/local.mk
include tests/bench/local.mk

# The same tests with AddressSanitizer and UndefinedBehaviorSanitizer, in a build of its own below this one.
check-asan:
	$(AM_V_at)$(MKDIR_P) asan && cd asan && \
	{ test -f config.status || $(abs_srcdir)/configure -q --enable-sanitizers CC='$(CC)' CFLAGS='-g -O1'; } && \
	SLOW=yes ROUNDS=$${ROUNDS:-20} $(MAKE) check

# With ThreadSanitizer, in a build of its own again: the suites of what is shared between threads or processes.
tsan_suites = event_log event_log_races
check-tsan:
	$(AM_V_at)$(MKDIR_P) tsan && cd tsan && \
	{ test -f config.status || $(abs_srcdir)/configure -q --enable-thread-sanitizer CC='$(CC)' CFLAGS='-g -O1'; } && \
	$(MAKE) tests/unit && \
	for suite in $(tsan_suites); do \
		TSAN_OPTIONS="halt_on_error=1 $$TSAN_OPTIONS" CK_TIMEOUT_MULTIPLIER=20 ROUNDS=$${ROUNDS:-50} \
			tests/unit $$suite >tests/$$suite.log 2>&1 || { cat tests/$$suite.log; exit 1; }; \
		tail -n 1 tests/$$suite.log; \
	done

# Valgrind is slow: the unit tests, and those scripts that pass through most of the code.
valgrind_tests = 10-hello.sh 42-reload.sh 61-strictness.sh 80-hold.sh
check-valgrind: all $(check_PROGRAMS) $(check_DATA)
	$(AM_V_at)srcdir='$(srcdir)' $(srcdir)/tests/support/valgrind $(valgrind_tests)

# The next Debian, where libmicrohttpd is 1.0.
check-debian13:
	$(AM_V_at)$(srcdir)/contrib/debian13

# The units as make install leaves them, in a Debian that is booted for it.
check-systemd: all tests/support/load$(EXEEXT) tests/support/probe.so
	$(AM_V_at)rm -rf systemd/install && $(MAKE) -s install DESTDIR='$(abs_builddir)/systemd/install' >/dev/null && \
	$(srcdir)/contrib/check-systemd

# How many tests there were, whatever ran them.
count-tests:
	$(AM_V_at)$(srcdir)/tests/support/count .

.PHONY: check-asan check-tsan check-valgrind check-debian13 check-systemd count-tests fuzz
EXTRA_DIST += contrib/check-systemd tests/system/booted.sh tests/README.md tests/support/valgrind tests/support/count \
	tests/lint .shellcheckrc
