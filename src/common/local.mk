libberth_a_SOURCES +=
libberth_a_SOURCES += src/common/control.c
