libberth_a_SOURCES += \
	src/supervisor/access.c src/supervisor/access.h \
	src/supervisor/callers.c src/supervisor/callers.h \
	src/supervisor/child.c src/supervisor/child.h \
	src/supervisor/default_set.c src/supervisor/default_set.h \
	src/supervisor/generation.c \
	src/supervisor/identity.c src/supervisor/identity.h \
	src/supervisor/internal.h \
	src/supervisor/modules.c src/supervisor/modules.h \
	src/supervisor/process.c \
	src/supervisor/recorder.c src/supervisor/recorder.h \
	src/supervisor/recording.c src/supervisor/recording.h \
	src/supervisor/reload.c \
	src/supervisor/report.c \
	src/supervisor/sockets.c src/supervisor/sockets.h \
	src/supervisor/supervisor.c src/supervisor/supervisor.h
EXTRA_DIST += src/supervisor/README.md
