if HAVE_CHECK
tests_unit_SOURCES += \
	tests/events/test_event_batch.c \
	tests/events/test_event_block.c \
	tests/events/test_event_channel.c \
	tests/events/test_event_client.c \
	tests/events/test_event_subscription.c \
	tests/events/test_event_input.c \
	tests/events/test_journal.c \
	tests/events/test_journal_kills.c \
	tests/events/test_recorder_history.c \
	tests/events/journals.c tests/events/journals.h \
	tests/events/records.h \
	tests/events/test_event_log.c \
	tests/events/test_event_log_races.c
endif
