if HAVE_CHECK
tests_unit_SOURCES += \
	tests/common/test_account.c \
	tests/common/test_buffer.c \
	tests/common/test_control.c \
	tests/common/test_counters.c \
	tests/common/test_launch.c \
	tests/common/test_log.c \
	tests/common/test_metrics.c \
	tests/common/test_number.c \
	tests/common/packets.c tests/common/packets.h \
	tests/common/test_packet.c \
	tests/common/test_settings.c \
	tests/common/test_settings_rules.c \
	tests/common/test_utf8.c
endif
