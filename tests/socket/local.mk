if HAVE_CHECK
tests_unit_SOURCES += \
	tests/socket/scratch.c \
	tests/socket/scratch.h \
	tests/socket/steps.c \
	tests/socket/steps.h \
	tests/socket/test_activation.c \
	tests/socket/test_inspect.c \
	tests/socket/test_listener.c \
	tests/socket/test_lock.c \
	tests/socket/test_names.c \
	tests/socket/test_notify.c \
	tests/socket/test_peer.c \
	tests/socket/test_unix_table.c
endif
