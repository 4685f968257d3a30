libberth_a_SOURCES +=
