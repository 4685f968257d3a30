if HAVE_CHECK
tests_unit_SOURCES += \
	tests/http/bare.c \
	tests/http/bare.h \
	tests/http/memory.c \
	tests/http/memory.h \
	tests/http/test_accept.c \
	tests/http/test_arena.c \
	tests/http/test_cookie.c \
	tests/http/test_date.c \
	tests/http/test_field.c \
	tests/http/test_host.c \
	tests/http/test_pattern.c \
	tests/http/test_query.c \
	tests/http/test_router.c \
	tests/http/test_stream_buffer.c \
	tests/http/test_stream_format.c \
	tests/http/test_stream_library.c \
	tests/http/test_takeover.c \
	tests/http/test_target.c
endif
