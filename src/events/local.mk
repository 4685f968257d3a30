libberth_a_SOURCES += \
	src/events/event.c \
	src/events/event.h
EXTRA_DIST += src/events/README.md
