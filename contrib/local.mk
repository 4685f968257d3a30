# The example applications: shared objects that link nothing, as anybody's application is built.
EXAMPLES = contrib/examples/hello.so contrib/examples/who.so contrib/examples/notes.so contrib/examples/slow.so \
	contrib/examples/temperature.so contrib/examples/jobs.so
example_files = contrib/examples/hello.c contrib/examples/who.c contrib/examples/notes.c contrib/examples/slow.c \
	contrib/examples/temperature.c contrib/examples/jobs.c
noinst_DATA = $(EXAMPLES)
EXTRA_DIST += contrib/quickstart contrib/examples/berth.conf $(example_files)
CLEANFILES += $(EXAMPLES)

SUFFIXES = .so
.c.so:
	$(AM_V_CCLD)$(MKDIR_P) $(@D) && \
	$(CC) -shared -fPIC $(BERTH_CFLAGS) $(CFLAGS) -Iinclude $(JANSSON_CFLAGS) $(UV_CFLAGS) -o $@ $<
$(EXAMPLES): include/berth.h

# Ready configurations of proxies. Their paths are those of an installation in /usr/local; where it goes elsewhere, what is
# installed says so.
proxy_nginx = contrib/nginx/berth-upstream.conf contrib/nginx/berth.conf contrib/nginx/nginx.conf
proxy_caddy = contrib/caddy/berth.caddy contrib/caddy/Caddyfile
proxy_apache = contrib/apache/berth.conf contrib/apache/httpd.conf
nginxdir = $(pkgdatadir)/nginx
nginx_DATA = $(proxy_nginx:contrib/%=contrib/installed/%)
caddydir = $(pkgdatadir)/caddy
caddy_DATA = $(proxy_caddy:contrib/%=contrib/installed/%)
apachedir = $(pkgdatadir)/apache
apache_DATA = $(proxy_apache:contrib/%=contrib/installed/%)
dist_pkgdata_DATA = contrib/berth-away.html
contrib/installed/%: contrib/% Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && sed 's,/usr/local/share/berth,$(pkgdatadir),g' $< >$@-new && mv $@-new $@
CLEANFILES += $(nginx_DATA) $(caddy_DATA) $(apache_DATA)
EXTRA_DIST += $(proxy_nginx) $(proxy_caddy) $(proxy_apache)

# What reads all of the project rather than one program of it.
EXTRA_DIST += .ci/run .clang-format contrib/debian13 tests/lint-allows
lint:
	$(AM_V_at)cd $(srcdir) && CC='$(CC)' BERTH='$(abs_builddir)/bin/berth' tests/lint
.PHONY: lint
