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
include tests/http/local.mk
include tests/system/local.mk
include tests/fuzz/local.mk
include tests/bench/local.mk
