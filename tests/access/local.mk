if HAVE_CHECK
tests_unit_SOURCES += \
	tests/access/test_forwarded.c \
	tests/access/test_origin.c \
	tests/access/test_proxies.c \
	tests/access/test_quota.c \
	tests/access/test_rules.c
endif
