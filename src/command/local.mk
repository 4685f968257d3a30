libberth_a_SOURCES += src/command/command.h
libberth_a_SOURCES += src/command/serve.c
EXTRA_DIST += src/command/README.md
