libberth_a_SOURCES += src/command/command.h
