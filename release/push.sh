#!/bin/sh
# Pushes the images that `make images` built to the job's registry, and signs them by the
# digests in the registry.
set -eu
: "${VERSION:?}" "${IMAGE:?}"
buildah=${BUILDAH:-buildah}
digest=$(mktemp)
trap 'rm -f "$digest"' EXIT

# The registry's password is the job token; it doesn't appear in process lists. cosign
# reads it from buildah's file.
DOCKER_CONFIG=${DOCKER_CONFIG:-$HOME/.docker}
export DOCKER_CONFIG
mkdir -p "$DOCKER_CONFIG"
printf %s "${CI_REGISTRY_PASSWORD:?}" |
	$buildah login --authfile "$DOCKER_CONFIG/config.json" --username "${CI_REGISTRY_USER:?}" --password-stdin "${CI_REGISTRY:?}"
for name in "$IMAGE:$VERSION" "$IMAGE:$VERSION-shell"; do
	$buildah manifest push --all --authfile "$DOCKER_CONFIG/config.json" --digestfile "$digest" "$name" "docker://$name"
	release/sign.sh image "$IMAGE@$(cat "$digest")"
	printf '%s is %s\n' "$name" "$(cat "$digest")"
done
