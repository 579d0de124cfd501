# Tocsin: `make run` shows it at work, `make test` checks it. On a bare Debian 12 with git and make both install what they need
# (packaging/debian-packages.txt) and say so. The building itself is Meson's and Ninja's: see meson.build.
PREFIX ?= /usr/local
DESTDIR ?=
RELEASE = build/release
TOCSIN = $(RELEASE)/tocsin

all: release

help:
	@echo "make               the release build: $(TOCSIN)"
	@echo "make run           two hubs, three members: one attack, everybody protected (ONCE=1: show it and stop)"
	@echo "make test          every test; ends with 'N passed, N failed' (PARTS='checks unit': only these)"
	@echo "make test-replay   two years of a real feed over two hubs, under kills"
	@echo "make test-paging   a million objects by 8 writers beside 4 pollers (about a minute)"
	@echo "make bench         figures of the release build"
	@echo "make install       PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)"
	@echo "make clean         removes build/"

packages:
	@packaging/install-packages

release: packages
	@tools/build release

run: release
	@tools/run-story --tocsin $(TOCSIN) $(if $(ONCE),--once)

test: packages
	@tools/run-tests $(PARTS)

test-replay: release
	@tools/replay --tocsin $(TOCSIN) --kills 20 --seed 1

test-paging: packages
	@tools/build bench
	@tools/paging --tocsin $(TOCSIN)

bench: packages
	@tools/build bench
	@tools/run-bench $(RELEASE) $(BENCH)

install: release
	install -D -m 0755 $(TOCSIN) $(DESTDIR)$(PREFIX)/bin/tocsin
	install -D -m 0644 packaging/tocsin.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/tocsin.conf
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/share/doc/tocsin
	sed -e 's|@BINDIR@|$(PREFIX)/bin|' -e 's|@DOCDIR@|$(PREFIX)/share/doc/tocsin|' packaging/tocsin-hub@.service \
	    >$(DESTDIR)$(PREFIX)/lib/systemd/system/tocsin-hub@.service
	chmod 0644 $(DESTDIR)$(PREFIX)/lib/systemd/system/tocsin-hub@.service
	install -d $(DESTDIR)$(PREFIX)/share/tocsin/profiles
	install -m 0644 profiles/*.yaml $(DESTDIR)$(PREFIX)/share/tocsin/profiles
	install -m 0644 README.md THREATS.md LICENSE $(DESTDIR)$(PREFIX)/share/doc/tocsin

clean:
	rm -rf build

.PHONY: all help packages release run test test-replay test-paging bench install clean
