if HAVE_CHECK
tests_unit_SOURCES += \
	tests/worker/test_access_line.c \
	tests/worker/test_access_log.c
endif
