# What the built-in site serves.
wwwdir = $(pkgdatadir)/www
dist_www_DATA = www/index.html www/console.html www/console.css www/console.js www/console-draw.js \
	www/console-events.js www/console-figures.js www/console-metrics.js
EXTRA_DIST += contrib/console.png

# The link that configure made.
distclean-local:
	test ! -L www || rm www
