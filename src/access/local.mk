libberth_a_SOURCES += \
	src/access/forwarded.c src/access/forwarded.h \
	src/access/origin.c src/access/origin.h \
	src/access/proxies.c src/access/proxies.h \
	src/access/quota.c src/access/quota.h \
	src/access/rules.c src/access/rules.h
EXTRA_DIST += src/access/README.md
