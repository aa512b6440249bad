# Each target does its own set-up; all that must be there is Go.

GO       ?= go
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# The documentation generator, and HTTP/2, which is not spoken, are left out of the
# program.
TAGS     := urfave_cli_no_docs,nethttpomithttp2
LDFLAGS  := -s -w -X gitlab.com/artifetch/artifetch/internal/cli.Version=$(VERSION)
# text/template calls methods by their names, so that the linker keeps every exported method
# of every type: 2.8 MB of encoders, encodings and the like. urfave/cli imports it to print
# help, which package help does here. No template is ever executed: the program is built
# with a text/template that can't call methods.
LEAN     := $(CURDIR)/bin/lean
BUILDFLAGS := -overlay $(LEAN)/overlay.json -trimpath -buildvcs=false -tags $(TAGS) -ldflags '$(LDFLAGS)'
BUILD    := CGO_ENABLED=0 $(GO) build $(BUILDFLAGS)
MAXSIZE  := 14680064
TOOLS    := $(CURDIR)/bin/tools

GOLANGCI_VERSION    := v2.15.0
STATICCHECK_VERSION := v0.8.2
# A newer one wants Go 1.27.
GORELEASER_VERSION  := v2.13.0
COSIGN_VERSION      := v2.6.1
GOTESTSUM_VERSION   := v1.13.0
COBERTURA_VERSION   := v1.5.0
VERSITYGW_VERSION   := v1.8.0
FAKEGCS_VERSION     := v1.56.1

# The time that a release carries: that of the commit.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null)

.PHONY: demo test recording realstores systems check lint bench bench-quick bench-docs bench-smoke microbench lean build size release publish test-release version programs image-rootfs images push-images fuzz clean

## demo: the main job against a simulated GitLab on loopback
demo:
	@$(GO) run ./internal/demo

ALLTESTS = $(shell $(GO) env CGO_ENABLED | sed 's/1/-race/;s/0//') -shuffle=on -timeout 20m $(TESTFLAGS) ./...
## test: every test, with the race detector where there is a C compiler; with
## REPORTS=1 also what GitLab shows of them: junit.xml, coverage.xml
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
## realstores: the program against real object storage, Apache and Varnish, which it
## installs where there is Debian's package manager
realstores: $(VERSITYGW) $(FAKEGCS)
	.ci/tools realstores
	PATH="$(VERSITYGW):$(FAKEGCS):$(CURDIR)/.cache/azurite/node_modules/.bin:$$PATH:/usr/sbin" \
		$(GO) test -tags realstores -count=1 -timeout 10m ./test/realstores

$(VERSITYGW):
	GOBIN=$@ $(GO) install github.com/versity/versitygw/cmd/versitygw@$(VERSITYGW_VERSION)

$(FAKEGCS):
	GOBIN=$@ $(GO) install github.com/fsouza/fake-gcs-server@$(FAKEGCS_VERSION)

## systems: the program for windows/amd64 in wine, and for linux/arm64 in qemu; installs them
## where there is Debian's package manager
systems:
	.ci/tools systems
	PATH="$$PATH:/usr/lib/wine" CI=true $(GO) test -tags systems -count=1 -timeout 10m ./test/systems

## recording: the picture in README, from runs against the simulated GitLab (on Linux)
recording:
	$(GO) test ./test/terminal -count=1 -run Recording -update

## check: what must hold before the tests are worth running
check: lint
	@test -z "$$(gofmt -l .)" || { echo "not gofmt'd:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) vet -tags realstores,systems ./test/realstores ./test/systems
	GOOS=windows $(GO) vet ./...
	GOOS=darwin $(GO) vet ./...
	$(GO) mod tidy -diff
	$(GO) mod verify

## lint: staticcheck and golangci-lint, built once by pinned version
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

## bench-quick: the same with archives of an eighth, on two networks, and two of the small
## ones at a distance
bench-quick:
	$(GO) run ./internal/bench -quick -nets loop,rtt -far '^(80kB|10MB)/20ms/redirect/ref$$'

## bench-docs: bench, with its tables put into docs/benchmarks.md; on a quiet machine
bench-docs:
	$(GO) run ./internal/bench -update docs/benchmarks.md

## bench-smoke: every archive once, small, from a real nginx, plain and over TLS, and one at
## a distance; fails where trees differ or too much memory is taken
bench-smoke:
	$(GO) run ./internal/bench -quick -n 1 -nets loop,tls -far '^1MB/20ms/redirect/ref$$' -far-n 1 -start-n 1

## microbench: the parts
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
## release: archives, packages, SBOMs, the source and checksums in dist/, for every
## platform, by GoReleaser
release: lean $(GORELEASER)
	@$(GORELEASE) check
	@$(GORELEASE) snapshot

## publish: the same of a tag, signed, as a release of the project in GitLab; for the
## pipeline of a tag
publish: lean $(GORELEASER) $(COSIGN)
	@$(GORELEASE) publish

$(TOOLS)/goreleaser-$(GORELEASER_VERSION):
	GOBIN=$(TOOLS) $(GO) install github.com/goreleaser/goreleaser/v2@$(GORELEASER_VERSION)
	mv $(TOOLS)/goreleaser $@

$(TOOLS)/cosign-$(COSIGN_VERSION):
	GOBIN=$(TOOLS) $(GO) install github.com/sigstore/cosign/v2/cmd/cosign@$(COSIGN_VERSION)
	mv $(TOOLS)/cosign $@

## programs: the program alone, for the images of IMAGE_ARCHS, where release puts it
programs: lean
	@for arch in $(IMAGE_ARCHS); do \
		GOOS=linux GOARCH=$$arch $(BUILD) -o dist/bin/linux-$$arch/artifetch . || exit 1; done

## test-release: makes releases by GoReleaser, installs and unpacks what they consist of,
## and publishes one into a simulated GitLab
test-release: $(GORELEASER)
	RELEASE_TESTS=1 GORELEASER="$(GORELEASER)" $(GO) test -timeout 30m -run '^(TestRelease|TestPublish)$$' $(TESTFLAGS) ./test/delivery

## version: "Unreleased" in CHANGELOG.md becomes VERSION, and so does the version that
## components, pages and examples name; a commit and a tag are up to you
version:
	@VERSION="$(VERSION)" release/version.sh

# What images are called, and how buildah is called: a registry's address, and
# BUILDAH='buildah --storage-driver vfs' BUILD_FLAGS='--isolation chroot' in a job. With
# SHELL_BASE=rootfs the shell is what image-rootfs laid out, and no registry is asked.
IMAGE       ?= artifetch
IMAGE_ARCHS ?= amd64 arm64
SOURCE      ?= $(CI_PROJECT_URL)

## image-rootfs: Debian's static busybox, for an image with a shell
image-rootfs:
	$(RELEASE_ENV) release/rootfs.sh $(IMAGE_ARCHS)

## images: an image with the program alone, and one with a shell, of what release made
images:
	$(RELEASE_ENV) IMAGE="$(IMAGE)" IMAGE_ARCHS="$(IMAGE_ARCHS)" SOURCE="$(SOURCE)" release/images.sh

## push-images: those to their registry, each signed by its digest; for the pipeline of a tag
push-images: $(COSIGN)
	@VERSION="$(VERSION)" IMAGE="$(IMAGE)" COSIGN="$(COSIGN)" release/push.sh

FUZZTIME  ?= 60s
# Where what was found interesting is kept. Each run begins with all of it, and that is
# part of its time: CI, which gives a target ten seconds, begins with the seeds.
FUZZCACHE ?= $(shell $(GO) env GOCACHE)/fuzz
## fuzz: every fuzz target for FUZZTIME; what it finds becomes a seed
fuzz:
	@.ci/fuzz $(FUZZTIME) $(FUZZCACHE)

clean:
	rm -rf bin dist coverage.* junit.xml
