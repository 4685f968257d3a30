if HAVE_CHECK
tests_unit_SOURCES += \
	tests/events/records.h \
	tests/events/test_event_log.c \
	tests/events/test_event_log_races.c
endif
