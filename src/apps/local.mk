libberth_a_SOURCES += \
	src/apps/apps.c src/apps/apps.h \
	src/apps/site.c \
	src/apps/status.c
EXTRA_DIST += src/apps/README.md
