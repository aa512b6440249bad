#!/bin/sh
# Runs GoReleaser with the variables that .goreleaser.yaml uses:
#
#   release/goreleaser.sh snapshot   builds any commit into dist/, and publishes nothing
#   release/goreleaser.sh publish    builds a tag, signs it, and publishes a release in GitLab
#   release/goreleaser.sh check      checks .goreleaser.yaml
#   release/goreleaser.sh version    prints the version that packages have for $VERSION
#
# The Makefile sets VERSION, SOURCE_DATE_EPOCH, GORELEASER and the flags of the compiler.
# RELEASE_PLATFORMS=linux/amd64,linux/arm builds fewer files.
set -eu
umask 022

fail() {
	printf 'goreleaser.sh: %s\n' "$*" >&2
	exit 1
}

# package_version prints a semantic version that deb, rpm and apk sort correctly: a commit
# after v1.2.0 is an alpha of 1.2.1, and a commit without any tag is older than any release.
package_version() {
	printf '%s\n' "$VERSION" | awk -v time="$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S)" '
		{ sub(/^v/, ""); sub(/-dirty$/, "") }
		/^[0-9]+\.[0-9]+\.[0-9]+(-(alpha|beta|rc)[0-9]+)?$/ { print; next }
		/^[0-9]+\.[0-9]+\.[0-9]+-(alpha|beta|rc)[0-9]+-[0-9]+-g[0-9a-f]+$/ { split($0, part, "-"); print part[1] "-" part[2]; next }
		/^[0-9]+\.[0-9]+\.[0-9]+-[0-9]+-g[0-9a-f]+$/ {
			split($0, part, "-"); split(part[1], number, ".")
			print number[1] "." number[2] "." number[3] + 1 "-alpha" part[2]; next
		}
		{ print "0.0.0-alpha" time }'
}

# config prints the path of the configuration, limited to the selected platforms.
config() {
	[ "${RELEASE_PLATFORMS:-all}" != all ] || {
		echo .goreleaser.yaml
		return
	}
	for platform in $(printf '%s' "$RELEASE_PLATFORMS" | tr , ' '); do
		grep -qE "^      - $(printf '%s' "$platform" | tr / _)(_|\$)" .goreleaser.yaml || fail "there is no platform $platform in .goreleaser.yaml"
	done
	mkdir -p bin
	awk -v wanted=",$RELEASE_PLATFORMS," '
		/^      - (linux|darwin|windows)_/ { split($2, part, "_"); if (!index(wanted, "," part[1] "/" part[2] ",")) next }
		{ print }' .goreleaser.yaml >bin/goreleaser.yaml
	echo bin/goreleaser.yaml
}

case ${VERSION:-} in
'' | *[!0-9A-Za-z.+_-]* | [!0-9A-Za-z]*) fail "the version \"${VERSION:-}\" can't be part of a file name; set VERSION" ;;
esac
case ${SOURCE_DATE_EPOCH:-} in
'' | *[!0-9]*) fail "SOURCE_DATE_EPOCH is \"${SOURCE_DATE_EPOCH:-}\"; set it to the time of the release, in seconds since 1970 (of a commit: git log -1 --format=%ct)" ;;
esac
PACKAGE_VERSION=$(package_version)
RELEASE_TIME=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)
: "${CI_SERVER_URL:=https://gitlab.com}" "${CI_PROJECT_NAMESPACE:=artifetch}" "${CI_PROJECT_NAME:=artifetch}"
: "${CI_API_V4_URL:=$CI_SERVER_URL/api/v4}" "${CI_PROJECT_URL:=$CI_SERVER_URL/$CI_PROJECT_NAMESPACE/$CI_PROJECT_NAME}"
export PACKAGE_VERSION RELEASE_TIME CI_SERVER_URL CI_PROJECT_NAMESPACE CI_PROJECT_NAME CI_API_V4_URL CI_PROJECT_URL

case ${1:-} in
version)
	echo "$PACKAGE_VERSION"
	exit
	;;
check) exec "$GORELEASER" check --quiet ;;
snapshot)
	skip=sign
	# The package managers' files list all platforms.
	[ "${RELEASE_PLATFORMS:-all}" = all ] || skip=$skip,scoop,aur
	config=$(config)
	"$GORELEASER" release --snapshot --clean --skip="$skip" --config "$config"
	;;
publish)
	[ "$PACKAGE_VERSION" = "${VERSION#v}" ] || fail "$VERSION isn't a version to publish: v1.2.3, or v1.2.3-rc1 (alpha, beta, rc)"
	mkdir -p bin
	release/notes.sh "$VERSION" >bin/notes.md
	# Use only the job's token to create the release.
	GITLAB_TOKEN=${GITLAB_TOKEN:-$CI_JOB_TOKEN} "$GORELEASER" release --clean --release-notes bin/notes.md
	;;
*) fail 'which one: snapshot, publish, check, version?' ;;
esac
if [ "$1" = publish ] || [ "${RELEASE_PLATFORMS:-all}" = all ]; then
	mkdir -p dist/homebrew
	release/formula.sh dist/checksums.txt >dist/homebrew/artifetch.rb
fi
cp -p install.sh install.ps1 dist/
touch -d "@$SOURCE_DATE_EPOCH" dist/install.sh dist/install.ps1 dist/checksums.txt
# GoReleaser's own files, with times and paths of this machine.
rm -rf dist/artifacts.json dist/digests.txt dist/config.yaml dist/metadata.json dist/artifetch_*/
