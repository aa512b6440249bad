#!/bin/sh
# Pushes the images that `make images` has built to the registry of the job, and signs
# them by the digest that the registry has.
set -eu
: "${VERSION:?}" "${IMAGE:?}"
buildah=${BUILDAH:-buildah}
digest=$(mktemp)
trap 'rm -f "$digest"' EXIT

# The registry's password is the job's; no process list shows it. cosign finds it where
# buildah keeps it.
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
