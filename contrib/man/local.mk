# Manual pages and completions. The lists of options in them come from the program's own table, by a program of the
# build (contrib/man/generate); berth.h(3) comes from the header itself, by awk, which configure has found.
man_date = "$$($(srcdir)/contrib/man/page-date)"

noinst_PROGRAMS += contrib/man/generate
contrib_man_generate_SOURCES = contrib/man/generate.c
contrib_man_generate_LDADD = libberth.a $(BERTH_LIBS)

man_generated = contrib/man/berth.1 contrib/man/berth-serve.1 contrib/man/berth-check.1 \
	contrib/man/berth-doctor.1 contrib/man/berth-sockets.1 contrib/man/berth.conf.5
man_MANS = $(man_generated) contrib/man/berth.h.3

bash_completion_DATA = contrib/completions/berth
bash_completiondir = $(datadir)/bash-completion/completions
zsh_completion_DATA = contrib/completions/_berth
zsh_completiondir = $(datadir)/zsh/site-functions
fish_completion_DATA = contrib/completions/berth.fish
fish_completiondir = $(datadir)/fish/vendor_completions.d

dist_doc_DATA = contrib/berth.conf README.md

completions = contrib/completions/berth contrib/completions/_berth contrib/completions/berth.fish
man_generate = $(MKDIR_P) $(@D) && contrib/man/generate$(EXEEXT)
man_finish = $(man_date) >$@-new && mv $@-new $@

$(man_generated): contrib/man/generate$(EXEEXT)
contrib/man/berth.1: contrib/man/berth.1.in
	$(AM_V_GEN)$(man_generate) $(srcdir)/contrib/man/berth.1.in $(man_finish)
contrib/man/berth-serve.1: contrib/man/berth-serve.1.in
	$(AM_V_GEN)$(man_generate) $(srcdir)/contrib/man/berth-serve.1.in $(man_finish)
contrib/man/berth-check.1: contrib/man/berth-check.1.in
	$(AM_V_GEN)$(man_generate) $(srcdir)/contrib/man/berth-check.1.in $(man_finish)
contrib/man/berth-doctor.1: contrib/man/berth-doctor.1.in
	$(AM_V_GEN)$(man_generate) $(srcdir)/contrib/man/berth-doctor.1.in $(man_finish)
contrib/man/berth-sockets.1: contrib/man/berth-sockets.1.in
	$(AM_V_GEN)$(man_generate) $(srcdir)/contrib/man/berth-sockets.1.in $(man_finish)
contrib/man/berth.conf.5: contrib/man/berth.conf.5.in
	$(AM_V_GEN)$(man_generate) $(srcdir)/contrib/man/berth.conf.5.in $(man_finish)
contrib/man/berth.h.3: contrib/man/header.awk src/include/berth.h
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(AWK) -v version='$(VERSION)' -v date=$(man_date) \
		-f $(srcdir)/contrib/man/header.awk $(srcdir)/src/include/berth.h >$@-new && mv $@-new $@

$(completions): contrib/man/generate$(EXEEXT)
contrib/completions/berth: contrib/completions/berth.bash.in
	$(AM_V_GEN)$(man_generate) $(srcdir)/contrib/completions/berth.bash.in $(man_finish)
contrib/completions/_berth: contrib/completions/berth.zsh.in
	$(AM_V_GEN)$(man_generate) $(srcdir)/contrib/completions/berth.zsh.in $(man_finish)
contrib/completions/berth.fish: contrib/completions/berth.fish.in
	$(AM_V_GEN)$(man_generate) $(srcdir)/contrib/completions/berth.fish.in $(man_finish)

CLEANFILES += $(man_MANS) $(completions)
EXTRA_DIST += contrib/man/page-date contrib/man/berth.1.in contrib/man/berth-serve.1.in contrib/man/berth-check.1.in \
	contrib/man/berth-doctor.1.in contrib/man/berth-sockets.1.in contrib/man/berth.conf.5.in contrib/man/header.awk \
	contrib/completions/berth.bash.in contrib/completions/berth.zsh.in contrib/completions/berth.fish.in
