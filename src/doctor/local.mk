libberth_a_SOURCES += \
	src/doctor/answer.c src/doctor/answer.h \
	src/doctor/contact.c src/doctor/contact.h \
	src/doctor/examination.c src/doctor/examination.h \
	src/doctor/exchange.c src/doctor/exchange.h \
	src/doctor/file.c \
	src/doctor/http.c \
	src/doctor/parts.h \
	src/doctor/private_tmp.c src/doctor/private_tmp.h \
	src/doctor/report.c src/doctor/report.h \
	src/doctor/server.c \
	src/doctor/texts.c \
	src/doctor/visitor.c src/doctor/visitor.h \
	src/doctor/walk.c src/doctor/walk.h \
	src/doctor/way.c
EXTRA_DIST += src/doctor/README.md
