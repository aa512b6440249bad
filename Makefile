# Each target does its own setup and only needs Go.

GO       ?= go
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# Leave out the documentation generator, and HTTP/2, which artifetch doesn't use.
TAGS     := urfave_cli_no_docs,nethttpomithttp2
LDFLAGS  := -s -w -X gitlab.com/artifetch/artifetch/internal/cli.Version=$(VERSION)
# text/template calls methods by name, so the linker would keep every exported method of
# every type: 2.8 MB of encoders and the like. urfave/cli imports it to print help, which
# our package help does instead. No template is ever executed, so the program is built with
# a text/template that can't call methods.
LEAN     := $(CURDIR)/bin/lean
BUILDFLAGS := -overlay $(LEAN)/overlay.json -trimpath -buildvcs=false -tags $(TAGS) -ldflags '$(LDFLAGS)'
BUILD    := CGO_ENABLED=0 $(GO) build $(BUILDFLAGS)
MAXSIZE  := 14680064
TOOLS    := $(CURDIR)/bin/tools

GOLANGCI_VERSION    := v2.15.0
STATICCHECK_VERSION := v0.8.2
# Newer ones need Go 1.27.
GORELEASER_VERSION  := v2.13.0
COSIGN_VERSION      := v2.6.1
GOTESTSUM_VERSION   := v1.13.0
COBERTURA_VERSION   := v1.5.0
VERSITYGW_VERSION   := v1.8.0
FAKEGCS_VERSION     := v1.56.1

# All times in a release are the commit's.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null)

.PHONY: demo test recording realstores systems check lint bench bench-quick bench-docs bench-smoke microbench lean build size release publish test-release version programs image-rootfs images push-images fuzz clean

## demo: the main job against a simulated GitLab on loopback
demo:
	@echo "compiling the demo and artifetch: the first time takes a minute" >&2
	@$(GO) run ./internal/demo

ALLTESTS = $(shell $(GO) env CGO_ENABLED | sed 's/1/-race/;s/0//') -shuffle=on -timeout 20m $(TESTFLAGS) ./...
## test: every test, with the race detector if there is a C compiler; with REPORTS=1, also
## the reports that GitLab shows: junit.xml, coverage.xml
ifndef REPORTS
test:
	$(GO) test $(ALLTESTS)
else
test: $(TOOLS)/gotestsum-$(GOTESTSUM_VERSION) $(TOOLS)/gocover-cobertura-$(COBERTURA_VERSION)
	$(TOOLS)/gotestsum-$(GOTESTSUM_VERSION) --format pkgname --junitfile junit.xml -- -coverprofile=coverage.out $(ALLTESTS)
	$(TOOLS)/gocover-cobertura-$(COBERTURA_VERSION) <coverage.out >coverage.xml
	$(GO) tool cover -func=coverage.out | tail -1
endif

$(TOOLS)/gotestsum-$(GOTESTSUM_VERSION):
	GOBIN=$(TOOLS) $(GO) install gotest.tools/gotestsum@$(GOTESTSUM_VERSION)
	mv $(TOOLS)/gotestsum $@

$(TOOLS)/gocover-cobertura-$(COBERTURA_VERSION):
	GOBIN=$(TOOLS) $(GO) install github.com/boumenot/gocover-cobertura@$(COBERTURA_VERSION)
	mv $(TOOLS)/gocover-cobertura $@

VERSITYGW := $(TOOLS)/versitygw-$(VERSITYGW_VERSION)
FAKEGCS   := $(TOOLS)/fake-gcs-server-$(FAKEGCS_VERSION)
## realstores: the program against real object storage, Apache and Varnish; installs them
## with Debian's package manager if that is there
realstores: $(VERSITYGW) $(FAKEGCS)
	.ci/tools realstores
	PATH="$(VERSITYGW):$(FAKEGCS):$(CURDIR)/.cache/azurite/node_modules/.bin:$$PATH:/usr/sbin" \
		$(GO) test -tags realstores -count=1 -timeout 10m ./test/realstores

$(VERSITYGW):
	GOBIN=$@ $(GO) install github.com/versity/versitygw/cmd/versitygw@$(VERSITYGW_VERSION)

$(FAKEGCS):
	GOBIN=$@ $(GO) install github.com/fsouza/fake-gcs-server@$(FAKEGCS_VERSION)

## systems: the program for windows/amd64 in wine, and for linux/arm64 in qemu; installs them
## with Debian's package manager if that is there
systems:
	.ci/tools systems
	PATH="$$PATH:/usr/lib/wine" CI=true $(GO) test -tags systems -count=1 -timeout 10m ./test/systems

## recording: the picture in README, from runs against the simulated GitLab (on Linux)
recording:
	$(GO) test ./test/terminal -count=1 -run Recording -update

## check: everything that CI checks except the tests
check: lint
	@test -z "$$(gofmt -l .)" || { echo "not gofmt'd:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) vet -tags realstores,systems ./test/realstores ./test/systems
	GOOS=windows $(GO) vet ./...
	GOOS=darwin $(GO) vet ./...
	$(GO) mod tidy -diff
	$(GO) mod verify

## lint: staticcheck and golangci-lint, built once in pinned versions
lint: $(TOOLS)/staticcheck-$(STATICCHECK_VERSION) $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)
	$(TOOLS)/staticcheck-$(STATICCHECK_VERSION) ./...
	$(TOOLS)/golangci-lint-$(GOLANGCI_VERSION) run

$(TOOLS)/staticcheck-$(STATICCHECK_VERSION):
	GOBIN=$(TOOLS) $(GO) install honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION)
	mv $(TOOLS)/staticcheck $@

$(TOOLS)/golangci-lint-$(GOLANGCI_VERSION):
	GOBIN=$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv $(TOOLS)/golangci-lint $@

## bench: the program against its peers, as whole processes; takes about 35 minutes
bench:
	$(GO) run ./internal/bench

## bench-quick: the same with archives an eighth of the size, on two networks, and two small
## archives at a distance
bench-quick:
	$(GO) run ./internal/bench -quick -nets loop,rtt -far '^(80kB|10MB)/20ms/redirect/ref$$' -whole-n 0

## bench-docs: bench, and puts its tables into docs/benchmarks.md; needs an idle machine
bench-docs:
	$(GO) run ./internal/bench -update docs/benchmarks.md

## bench-smoke: every archive once, small, from a real nginx, plain and over TLS, and one at
## a distance; fails if trees differ or memory exceeds the limit
bench-smoke:
	$(GO) run ./internal/bench -quick -n 1 -nets loop,tls -far '^1MB/20ms/redirect/ref$$' -far-n 1 -start-n 1 -whole-n 0

## microbench: benchmarks of single parts
microbench:
	$(GO) test -run '^$$' -bench . -benchmem ./internal/inflate ./fetch ./extract

lean:
	@mkdir -p $(LEAN)
	@root=$$($(GO) env GOROOT) && \
		sed 's/ptr\.MethodByName(fieldName)/(reflect.Value{})/' "$$root/src/text/template/exec.go" >$(LEAN)/exec.txt && \
		printf '{"Replace": {"%s": "%s"}}\n' "$$root/src/text/template/exec.go" "$(LEAN)/exec.txt" >$(LEAN)/overlay.json

BIN ?= bin/
## build: the program for this machine, in bin/
build: lean
	@$(BUILD) -o $(BIN) .
	@echo "built $(BIN)$(if $(filter %/,$(BIN)),artifetch$(shell $(GO) env GOEXE))"

## size: the program for linux/amd64 is at most 14 MiB
size: lean
	@GOOS=linux GOARCH=amd64 $(BUILD) -o bin/size .
	@size=$$(wc -c <bin/size); rm bin/size; echo "linux/amd64: $$size of $(MAXSIZE) bytes"; test "$$size" -le $(MAXSIZE)

RELEASE_PLATFORMS ?= all
RELEASE_ENV        = VERSION="$(VERSION)" SOURCE_DATE_EPOCH="$(SOURCE_DATE_EPOCH)"
GORELEASER        ?= $(TOOLS)/goreleaser-$(GORELEASER_VERSION)
COSIGN            ?= $(TOOLS)/cosign-$(COSIGN_VERSION)
GORELEASE          = $(RELEASE_ENV) RELEASE_PLATFORMS="$(RELEASE_PLATFORMS)" GO="$(GO)" GORELEASER="$(GORELEASER)" COSIGN="$(COSIGN)" \
	OVERLAY="$(LEAN)/overlay.json" TAGS="$(TAGS)" LDFLAGS="$(LDFLAGS)" release/goreleaser.sh
## release: builds archives, packages, SBOMs, the source and checksums for every platform
## into dist/, with GoReleaser
release: lean $(GORELEASER)
	@$(GORELEASE) check
	@$(GORELEASE) snapshot

## publish: the same for a tag, signed, as a release of the GitLab project; for the
## pipeline of a tag
publish: lean $(GORELEASER) $(COSIGN)
	@$(GORELEASE) publish

$(TOOLS)/goreleaser-$(GORELEASER_VERSION):
	GOBIN=$(TOOLS) $(GO) install github.com/goreleaser/goreleaser/v2@$(GORELEASER_VERSION)
	mv $(TOOLS)/goreleaser $@

$(TOOLS)/cosign-$(COSIGN_VERSION):
	GOBIN=$(TOOLS) $(GO) install github.com/sigstore/cosign/v2/cmd/cosign@$(COSIGN_VERSION)
	mv $(TOOLS)/cosign $@

## programs: only the programs, for the images of IMAGE_ARCHS, where release puts them
programs: lean
	@for arch in $(IMAGE_ARCHS); do \
		GOOS=linux GOARCH=$$arch $(BUILD) -o dist/bin/linux-$$arch/artifetch . || exit 1; done

## test-release: builds releases with GoReleaser, installs and unpacks their files,
## publishes one to a simulated GitLab, and signs with cosign and a simulated Sigstore
test-release: $(GORELEASER) $(COSIGN)
	RELEASE_TESTS=1 GORELEASER="$(GORELEASER)" COSIGN="$(COSIGN)" $(GO) test -timeout 30m -run '^(TestRelease|TestPublish|TestCosign|TestSignedImages)$$' $(TESTFLAGS) ./test/delivery

## version: turns "Unreleased" in CHANGELOG.md into VERSION, and updates the version in
## components, pages and examples; committing and tagging is up to you
version:
	@VERSION="$(VERSION)" release/version.sh

# The images' name, which is an address in a registry, and how to run buildah: in a job,
# BUILDAH='buildah --storage-driver vfs' BUILD_FLAGS='--isolation chroot'. With
# SHELL_BASE=rootfs, the shell is the one from image-rootfs, and no registry is needed.
IMAGE       ?= artifetch
IMAGE_ARCHS ?= amd64 arm64
SOURCE      ?= $(CI_PROJECT_URL)

## image-rootfs: Debian's static busybox, for an image with a shell
image-rootfs:
	$(RELEASE_ENV) release/rootfs.sh $(IMAGE_ARCHS)

## images: an image with only the program, and one with a shell, from what release built
images:
	$(RELEASE_ENV) IMAGE="$(IMAGE)" IMAGE_ARCHS="$(IMAGE_ARCHS)" SOURCE="$(SOURCE)" release/images.sh

## push-images: pushes them to their registry and signs each by its digest; for the
## pipeline of a tag
push-images: $(COSIGN)
	@VERSION="$(VERSION)" IMAGE="$(IMAGE)" COSIGN="$(COSIGN)" release/push.sh

FUZZTIME  ?= 60s
# Where Go keeps interesting inputs. Each run starts with all of them, which takes part of
# its time, so CI, which gives each target ten seconds, starts with only the seeds.
FUZZCACHE ?= $(shell $(GO) env GOCACHE)/fuzz
## fuzz: every fuzz target for FUZZTIME; inputs that fail become seeds
fuzz:
	@.ci/fuzz $(FUZZTIME) $(FUZZCACHE)

clean:
	rm -rf bin dist coverage.* junit.xml
