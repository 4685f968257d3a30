libberth_a_SOURCES += \
	src/events/event.c \
	src/events/event.h \
	src/events/log.c \
	src/events/log.h
EXTRA_DIST += src/events/README.md
