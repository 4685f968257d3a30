# What the built-in site serves.
wwwdir = $(pkgdatadir)/www
dist_www_DATA = www/index.html
