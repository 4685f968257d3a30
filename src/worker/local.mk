libberth_a_SOURCES += \
	src/worker/application.c src/worker/application.h \
	src/worker/timer.c src/worker/loop.h \
	src/worker/worker.c src/worker/worker.h
libberth_a_SOURCES += src/worker/compile.c src/worker/compile.h
EXTRA_DIST += src/worker/README.md
