# Pure functions, without libmicrohttpd.
libberth_a_SOURCES += \
	src/http/accept.c src/http/accept.h \
	src/http/arena.c src/http/arena.h \
	src/http/cookie.c src/http/cookie.h \
	src/http/field.c src/http/field.h \
	src/http/host.c src/http/host.h \
	src/http/pattern.c src/http/pattern.h \
	src/http/percent.h \
	src/http/query.c src/http/query.h \
	src/http/router.c src/http/router.h \
	src/http/stream_format.c src/http/stream_format.h \
	src/http/target.c src/http/target.h

# The rest: libmicrohttpd's only users.
libberth_a_SOURCES += \
	src/http/admission.c src/http/admission.h \
	src/http/connection.c src/http/connection.h \
	src/http/daemon.c src/http/daemon.h \
	src/http/date.c src/http/date.h \
	src/http/deadline.c src/http/deadline.h \
	src/http/event.c \
	src/http/exchange.c src/http/exchange.h \
	src/http/file.c src/http/file.h \
	src/http/head.c src/http/head.h \
	src/http/hold.c src/http/hold.h \
	src/http/layout.c src/http/layout.h \
	src/http/library.c src/http/library.h \
	src/http/linger.c src/http/linger.h \
	src/http/prepared.c src/http/prepared.h \
	src/http/problem.c src/http/problem.h \
	src/http/quiet.c src/http/quiet.h \
	src/http/reply.c src/http/reply.h \
	src/http/request.c src/http/request.h \
	src/http/server.c src/http/server.h \
	src/http/stream.c src/http/stream.h \
	src/http/stream_buffer.c src/http/stream_buffer.h \
	src/http/stream_later.c \
	src/http/stream_write.c \
	src/http/takeover.c src/http/takeover.h
EXTRA_DIST += src/http/README.md
