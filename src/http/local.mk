libberth_a_SOURCES +=
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
	src/http/target.c src/http/target.h
