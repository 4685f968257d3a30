libberth_a_SOURCES += \
	src/command/check.c \
	src/command/command.c src/command/command.h \
	src/command/doctor.c \
	src/command/explain.c src/command/explain.h \
	src/command/serve.c \
	src/command/sockets.c
EXTRA_DIST += src/command/README.md
