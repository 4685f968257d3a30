# What the built-in site serves.
wwwdir = $(pkgdatadir)/www
dist_www_DATA = www/index.html

# The link that configure made.
distclean-local:
	test ! -L www || rm www
