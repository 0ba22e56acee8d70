# Two commands: `make demo` and `make test`. Both install what is missing, where they may.
PACKAGES = libdnnl-dev libopenblas-dev libopenblas-openmp-dev libhdf5-dev liblz4-dev libpng-dev libjpeg-dev libtiff-dev libzip-dev libdeflate-dev libarchive-dev liblbfgs-dev libxxhash-dev gnuplot-nox openmpi-bin

.PHONY: demo test build packages

demo: build
	.build/release/psimagenet demo

build: packages
	swift build -c release --product psimagenet

test: packages
	swift build -c release --build-tests
	swift test -c release --skip-build

packages:
	@missing=""; for p in $(PACKAGES); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'install ok installed' || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ]; then run=""; elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then run="sudo"; \
	  else echo "missing Debian packages; run: sudo apt-get install -y$$missing" >&2; exit 69; fi; \
	  $$run apt-get update -qq && $$run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends$$missing; \
	fi
