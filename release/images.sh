#!/bin/sh
# Builds the images of Dockerfile with buildah, from what `make release` put into dist/:
# $IMAGE:$VERSION with only the program, and $IMAGE:$VERSION-shell with busybox. Each is a
# list with one image per architecture. The same dist/ gives the same digests.
set -eu
: "${VERSION:?}" "${SOURCE_DATE_EPOCH:?}"
image=${IMAGE:-artifetch}
created=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)
revision=${REVISION:-$(git rev-parse HEAD 2>/dev/null || true)}

platforms=''
for arch in ${IMAGE_ARCHS:-amd64 arm64}; do
	[ -f "dist/bin/linux-$arch/artifetch" ] || {
		echo "images.sh: dist/bin/linux-$arch/artifetch is not there: make release comes first" >&2
		exit 1
	}
	platforms=$platforms${platforms:+,}linux/$arch
done

for target in ${IMAGE_TARGETS:-scratch shell}; do
	name=$image:$VERSION
	[ "$target" = scratch ] || name=$name-$target
	# An existing list would get more entries.
	${BUILDAH:-buildah} manifest rm "$name" >/dev/null 2>&1 || true
	set -- --build-arg VERSION="$VERSION" --build-arg REVISION="$revision" --build-arg CREATED="$created"
	[ -z "${SOURCE:-}" ] || set -- "$@" --build-arg SOURCE="$SOURCE"
	[ -z "${SHELL_BASE:-}" ] || set -- "$@" --build-arg SHELL_BASE="$SHELL_BASE"
	# shellcheck disable=SC2086 # several words
	${BUILDAH:-buildah} bud ${BUILD_FLAGS:-} --timestamp "$SOURCE_DATE_EPOCH" --identity-label=false \
		--target "$target" --platform "$platforms" --manifest "$name" "$@" .
	printf '%s: %s\n' "$name" "$platforms"
done
