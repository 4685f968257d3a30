# make bench, make bench-quick: see tests/bench/README.md. Nothing here is built by make or make check.
EXTRA_PROGRAMS = tests/bench/bare_epoll tests/bench/bare_fanout tests/bench/bare_mhd tests/bench/first_answer \
	tests/bench/datagrams tests/bench/subscribers
tests_bench_bare_epoll_SOURCES = tests/bench/bare_epoll.c tests/bench/bare.h
tests_bench_bare_fanout_SOURCES = tests/bench/bare_fanout.c tests/bench/bare.h
tests_bench_bare_mhd_SOURCES = tests/bench/bare_mhd.c tests/bench/bare.h
tests_bench_bare_mhd_LDADD = $(MICROHTTPD_LIBS) $(UV_LIBS)
tests_bench_datagrams_SOURCES = tests/bench/datagrams.c
tests_bench_first_answer_SOURCES = tests/bench/first_answer.c
tests_bench_subscribers_SOURCES = tests/bench/subscribers.c

BENCH_BUILT = $(EXTRA_PROGRAMS) tests/bench/app.so
CLEANFILES += $(BENCH_BUILT)

# As an author of an application builds one.
tests/bench/app.so: tests/bench/app.c src/include/berth.h
	$(AM_V_GEN)$(MKDIR_P) tests/bench && \
	$(CC) $(CPPFLAGS) $(CFLAGS) -Wall -fPIC -shared $(LDFLAGS) -I$(srcdir)/src/include -o $@ $(srcdir)/tests/bench/app.c

BENCH_RUN = $(srcdir)/tests/bench/bench.py --build .

bench: bench-optimised bin/berth$(EXEEXT) $(BENCH_BUILT)
	$(BENCH_RUN) --results $(srcdir)/tests/bench

bench-quick: bench-optimised bin/berth$(EXEEXT) $(BENCH_BUILT)
	$(BENCH_RUN) --quick

# Files, beside nginx and lighttpd: a run of its own.
bench-site: bench-optimised bin/berth$(EXEEXT)
	$(srcdir)/tests/bench/site.py --build . --results $(srcdir)/tests/bench

# Events, beside nginx with nchan.
bench-events: bench-optimised bin/berth$(EXEEXT) tests/bench/bare_fanout tests/bench/datagrams tests/bench/subscribers
	$(srcdir)/tests/bench/events.py --build . --results $(srcdir)/tests/bench

# Figures of a build that is instrumented or not optimised would say nothing.
bench-optimised:
	@case " $(AM_CFLAGS) $(CFLAGS) " in \
	*-fsanitize*) echo "bench: this build has sanitizers; measure in one that is configured without" >&2; exit 1 ;; \
	*" -O2 "*|*" -O3 "*) ;; \
	*) echo "bench: this build is not optimised; configure without CFLAGS, or with -O2" >&2; exit 1 ;; \
	esac

.PHONY: bench bench-events bench-quick bench-site bench-optimised

EXTRA_DIST += tests/bench/README.md tests/bench/packages.debian tests/bench/app.c tests/bench/asgi_app.py \
	tests/bench/bench.py tests/bench/contestants.py tests/bench/processes.py tests/bench/report.py \
	tests/bench/lighttpd.conf tests/bench/nginx.conf \
	tests/bench/events.py tests/bench/nginx-nchan.conf tests/bench/site.py tests/bench/lighttpd-site.conf tests/bench/nginx-site.conf

# The results of the last `make bench` that somebody committed.
EXTRA_DIST += $(wildcard $(srcdir)/tests/bench/RESULTS*.md $(srcdir)/tests/bench/cpu.svg)
