if HAVE_CHECK
tests_unit_SOURCES += \
	tests/supervisor/test_control.c
endif
