if HAVE_CHECK
tests_unit_SOURCES +=
endif
