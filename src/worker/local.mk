libberth_a_SOURCES += \
	src/worker/access_line.c src/worker/access_line.h \
	src/worker/access_log.c src/worker/access_log.h \
	src/worker/application.c src/worker/application.h \
	src/worker/memory.c src/worker/memory.h \
	src/worker/module_file.c src/worker/module_file.h \
	src/worker/self.c src/worker/self.h \
	src/worker/timer.c src/worker/loop.h \
	src/worker/worker.c src/worker/worker.h
libberth_a_SOURCES += src/worker/compile.c src/worker/compile.h
EXTRA_DIST += src/worker/README.md
