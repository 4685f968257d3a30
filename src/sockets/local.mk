libberth_a_SOURCES += \
	src/sockets/grid.c src/sockets/grid.h \
	src/sockets/holders.c src/sockets/holders.h \
	src/sockets/listing.c src/sockets/listing.h \
	src/sockets/listing_filter.c src/sockets/listing_filter.h \
	src/sockets/listing_json.c src/sockets/listing_json.h \
	src/sockets/listing_table.c src/sockets/listing_table.h \
	src/sockets/people.c src/sockets/people.h \
	src/sockets/place.c src/sockets/place.h
EXTRA_DIST += src/sockets/README.md
