libberth_a_SOURCES += \
	src/apps/apps.c src/apps/apps.h \
	src/apps/event_query.c src/apps/event_query.h \
	src/apps/events.c \
	src/apps/status.c

# site:DIR, and what it is made of: pure functions but for beneath, site_file, site_cache and site itself.
libberth_a_SOURCES += \
	src/apps/accept_encoding.c src/apps/accept_encoding.h \
	src/apps/beneath.c src/apps/beneath.h \
	src/apps/conditional.c src/apps/conditional.h \
	src/apps/entity_tag.c src/apps/entity_tag.h \
	src/apps/http_date.c src/apps/http_date.h \
	src/apps/media_type.c src/apps/media_type.h \
	src/apps/multipart.c src/apps/multipart.h \
	src/apps/range.c src/apps/range.h \
	src/apps/site.c \
	src/apps/site_cache.c src/apps/site_cache.h \
	src/apps/site_file.c src/apps/site_file.h
EXTRA_DIST += src/apps/README.md
