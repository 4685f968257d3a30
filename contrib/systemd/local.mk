# Units, and what they need. Where they go, configure says; what runs, and where the rest was put, is filled in here.
systemd_system = contrib/systemd/berth.service contrib/systemd/berth@.service
systemd_user = contrib/systemd/user/berth.service contrib/systemd/user/berth@.service
systemd_made = $(systemd_system) $(systemd_user) contrib/systemd/tmpfiles.d/berth.conf contrib/systemd/sysusers.d/berth.conf
systemd_sockets = contrib/systemd/berth.socket contrib/systemd/berth-events.socket contrib/systemd/berth@.socket
systemd_user_sockets = contrib/systemd/user/berth.socket contrib/systemd/user/berth@.socket
systemd_examples = contrib/systemd/berth.conf contrib/systemd/drop-ins/notify-reload.conf \
	contrib/systemd/drop-ins/keep-events.conf contrib/systemd/drop-ins/network.conf contrib/systemd/drop-ins/see-all.conf
dropindir = $(pkgdatadir)/systemd

if SYSTEM_UNITS
systemdsystemunit_DATA = $(systemd_system) $(systemd_sockets)
dropin_DATA = $(systemd_examples)
endif
if USER_UNITS
systemduserunit_DATA = $(systemd_user) $(systemd_user_sockets)
endif
if SYSUSERS
sysusers_DATA = contrib/systemd/sysusers.d/berth.conf
endif
if TMPFILES
tmpfiles_DATA = contrib/systemd/tmpfiles.d/berth.conf
endif

# The brackets are for configure, which would fill in a name of its own here.
systemd_fill = $(MKDIR_P) $(@D) && sed -e 's,@origin@,Made from $(<:$(srcdir)/%=%).,' \
	-e 's,@unit@,$(@F),' -e 's,[@]bindir@,$(bindir),g' -e 's,@dropindir@,$(dropindir),g'
systemd_one = -e 's,@description@,berth\, HTTP on Unix sockets,' -e 's,@socket@,berth.socket,g' -e 's,@folder@,berth,g'
systemd_each = -e 's,@description@,berth for %i,' -e 's,@socket@,berth@%i.socket,g' -e 's,@folder@,berth/%i,g' \
	-e 's, berth-events.socket,,'
systemd_finish = >$@-new && mv $@-new $@

contrib/systemd/berth.service: contrib/systemd/server.service.in Makefile
	$(AM_V_GEN)$(systemd_fill) $(systemd_one) -e 's,@config@,/etc/berth/berth.conf,' $< $(systemd_finish)
contrib/systemd/berth@.service: contrib/systemd/server.service.in Makefile
	$(AM_V_GEN)$(systemd_fill) $(systemd_each) -e 's,@config@,/etc/berth/%i.conf,' $< $(systemd_finish)
contrib/systemd/user/berth.service: contrib/systemd/user.service.in Makefile
	$(AM_V_GEN)$(systemd_fill) $(systemd_one) -e 's,@config@,%E/berth/berth.conf,' $< $(systemd_finish)
contrib/systemd/user/berth@.service: contrib/systemd/user.service.in Makefile
	$(AM_V_GEN)$(systemd_fill) $(systemd_each) -e 's,@config@,%E/berth/%i.conf,' $< $(systemd_finish)
contrib/systemd/tmpfiles.d/berth.conf: contrib/systemd/tmpfiles.conf.in Makefile
	$(AM_V_GEN)$(systemd_fill) $< $(systemd_finish)
contrib/systemd/sysusers.d/berth.conf: contrib/systemd/sysusers.conf
	$(AM_V_GEN)$(MKDIR_P) $(@D) && cp $< $@

noinst_DATA += $(systemd_made)
CLEANFILES += $(systemd_made)
EXTRA_DIST += contrib/systemd/server.service.in contrib/systemd/user.service.in contrib/systemd/tmpfiles.conf.in \
	contrib/systemd/sysusers.conf $(systemd_sockets) $(systemd_user_sockets) $(systemd_examples)
