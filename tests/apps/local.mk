if HAVE_CHECK
tests_unit_SOURCES += \
	tests/apps/test_accept_encoding.c \
	tests/apps/test_beneath.c \
	tests/apps/test_conditional.c \
	tests/apps/test_entity_tag.c \
	tests/apps/test_event_query.c \
	tests/apps/test_http_date.c \
	tests/apps/test_media_type.c \
	tests/apps/test_multipart.c \
	tests/apps/test_range.c \
	tests/apps/test_site_cache.c \
	tests/apps/tree.c tests/apps/tree.h
endif
