# The commands that people type. What is built, and how, stands in CMakeLists.txt and CMakePresets.json.
#
#   make            jail, jls, jexec and jinit into build/bin
#   make demo       a tour on this machine
#   make test       all tests that you may run; as root those on the real kernel too
#   make check-dev  the same under AddressSanitizer and UndefinedBehaviorSanitizer
#   make vm-test    lives, power cuts, boots in machines of QEMU (VM_ROUNDS with VM_CUTS of power, VM_SEED, VM_SUITES)
#   make bench      figures
#   make fuzz       every fuzzer for FUZZ_SECONDS (30)
#   make tidy       clang-tidy       make format   clang-format
#   make freebsd    compile all above os/ against FreeBSD's headers
#   make install    to $(DESTDIR)$(PREFIX); make uninstall
#
# Missing packages of Debian 12 are installed when you are root, and named when you are not.

PREFIX ?= /usr/local
DESTDIR ?=
JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 30

setup := build-aux/setup.sh
sources = $(shell git ls-files --cached --others --exclude-standard '*.cc' '*.h')
mans = $(wildcard man/*.[158])

.PHONY: all
all: setup-build build/release/build.ninja
	@ninja -C build/release -j $(JOBS) $(NINJA_QUIET) programs
	@echo "In build/bin: $$(ls build/bin | tr '\n' ' ')"

.PHONY: setup-%
setup-%:
	@$(setup) $*

build/%/build.ninja: CMakePresets.json | setup-build
	cmake --preset $* -Wno-dev --log-level=WARNING

.PHONY: demo
demo: setup-demo all
	@demo/demo.sh build/bin

.PHONY: test
test: setup-build setup-test build/release/build.ninja
	ninja -C build/release -j $(JOBS)
	@tests/run.py build/release

.PHONY: check-dev
check-dev: setup-build setup-test build/dev/build.ninja
	ninja -C build/dev -j $(JOBS)
	@tests/run.py build/dev

# The kernel is Debian's own, unpacked below build/vm; it is not installed. Without VM_ROUNDS: as many as begin in VM_SECONDS.
VM_ROUNDS ?= 1000
VM_SECONDS ?= 240
VM_CUTS ?= 20
VM_SUITES ?= host,kernel,sysv,systemd,programs,hunger,power
.PHONY: vm-test
vm-test: setup-build setup-vm all
	ninja -C build/release -j $(JOBS) $(NINJA_QUIET) kernel_test ordeal_storm
	@rm -rf build/vm/installed
	@$(MAKE) --no-print-directory -s -o all install PREFIX=/usr/local DESTDIR='$(CURDIR)/build/vm/installed'
	@tests/vm/run.py --rounds $(VM_ROUNDS) --cuts $(VM_CUTS) --seconds $(VM_SECONDS) --only $(VM_SUITES) $(if $(VM_SEED),--seed $(VM_SEED)) \
	  --kernel-test build/release/tests/kernel_test --storm build/release/tests/ordeal_storm build/vm/installed build/vm

.PHONY: clang
clang: setup-build setup-clang build/clang/build.ninja
	ninja -C build/clang -j $(JOBS)

.PHONY: bench
bench: setup-build setup-bench
	cmake --preset release -Wno-dev --log-level=WARNING
	ninja -C build/release -j $(JOBS)
	@bench/bench.py build/bin build/release/bench

.PHONY: fuzz
fuzz: setup-build setup-clang build/fuzz/build.ninja
	ninja -C build/fuzz -j $(JOBS) fuzzers
	@tests/fuzz/run.sh build/fuzz $(FUZZ_SECONDS) $(JOBS)

.PHONY: tidy
tidy: setup-build setup-tidy build/tidy/build.ninja
	@run-clang-tidy-19 -quiet -p build/tidy -j $(JOBS) '$(CURDIR)/(base|conf|os|ledger|sup|plan|init|cmd)/'

.PHONY: format check-format
format: setup-format
	@clang-format-19 -i $(sources)
check-format: setup-format
	@clang-format-19 --dry-run -Werror $(sources)

.PHONY: freebsd
freebsd: setup-build setup-freebsd
	@build-aux/freebsd.sh $(JOBS)

.PHONY: check-man
check-man: setup-man
	@[ -z "$(mans)" ] || mandoc -Tlint -Wwarning $(mans)

.PHONY: install uninstall
install: all
	install -d '$(DESTDIR)$(PREFIX)/sbin' '$(DESTDIR)$(PREFIX)/libexec/cellblock'
	install -s build/bin/jail build/bin/jls build/bin/jexec '$(DESTDIR)$(PREFIX)/sbin'
	install -s build/bin/jinit '$(DESTDIR)$(PREFIX)/libexec/cellblock'
	for page in $(mans); do \
	  install -D -m 644 $$page "$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page#man/}" || exit 1; \
	done
	sed 's|/usr/local|$(PREFIX)|g' boot/cellblock.service | \
	  install -D -m 644 /dev/stdin '$(DESTDIR)$(PREFIX)/lib/systemd/system/cellblock.service'
	sed 's|/usr/local|$(PREFIX)|g' boot/cellblock.init | \
	  install -D -m 755 /dev/stdin '$(DESTDIR)/etc/init.d/cellblock'
	install -m 755 boot/cellblock.sh '$(DESTDIR)$(PREFIX)/libexec/cellblock'
	[ -e '$(DESTDIR)/etc/default/cellblock' ] || \
	  install -D -m 644 boot/default '$(DESTDIR)/etc/default/cellblock'

# /etc/default/cellblock may have been edited: it stays.
uninstall:
	rm -f $(patsubst %,'$(DESTDIR)$(PREFIX)/sbin/%',jail jls jexec) '$(DESTDIR)$(PREFIX)/libexec/cellblock/jinit' \
	  '$(DESTDIR)$(PREFIX)/libexec/cellblock/cellblock.sh' \
	  '$(DESTDIR)$(PREFIX)/lib/systemd/system/cellblock.service' '$(DESTDIR)/etc/init.d/cellblock'
	for page in $(mans); do rm -f "$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page#man/}"; done
	-rmdir '$(DESTDIR)$(PREFIX)/libexec/cellblock'

.PHONY: clean
clean:
	rm -rf build
