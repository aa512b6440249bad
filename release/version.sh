#!/bin/sh
# Turns "Unreleased" in CHANGELOG.md into $VERSION, updates the version in pages, components
# and examples, and removes "Nothing is published yet." from pages:
#
#   make version VERSION=v1.2.3
#
# If CHANGELOG.md already has a section for $VERSION, and there is no such tag yet, the
# unreleased changes become part of that section. It only changes files: review and commit
# them, and push the tag.
set -eu
files='README.md SECURITY.md docs/channels.md docs/components.md docs/delivery.md docs/sync.md channels/mise.toml templates/fetch.yml templates/setup.yml templates/sync.yml test/delivery/image_linux_test.go'

fail() {
	printf 'version.sh: %s\n' "$*" >&2
	exit 1
}

printf '%s\n' "${VERSION:-}" | grep -qE '^v[0-9]+\.[0-9]+\.[0-9]+(-(alpha|beta|rc)[0-9]+)?$' ||
	fail "\"${VERSION:-}\" isn't a version: v1.2.3, or v1.2.3-rc1 (alpha, beta, rc)"
! git rev-parse -q --verify "refs/tags/$VERSION" >/dev/null 2>&1 || fail "there is a tag $VERSION already"
grep -q '^## Unreleased$' CHANGELOG.md || fail 'CHANGELOG.md has no section "Unreleased"'
unreleased=$(release/notes.sh Unreleased 2>/dev/null | sed '/./,$!d')
if grep -q "^## $VERSION\( \|\$\)" CHANGELOG.md; then
	[ "$(awk '/^## / && $2 != "Unreleased" { print $2; exit }' CHANGELOG.md)" = "$VERSION" ] || fail "CHANGELOG.md has $VERSION already, and newer versions"
elif [ -z "$unreleased" ]; then
	fail 'CHANGELOG.md has nothing that is unreleased'
fi

# The components' own version.
last=$(sed -n 's|.*default: registry\.gitlab\.com/artifetch/artifetch:\(v[0-9.]*\(-[a-z]*[0-9]*\)\{0,1\}\)-shell$|\1|p' templates/fetch.yml)
[ -n "$last" ] || fail 'templates/fetch.yml names no version of the image'

tmp=$(mktemp)
trap 'rm -f "$tmp"' EXIT
# replace FILE PROGRAM keeps the file's permissions.
replace() {
	sed -E "$2" "$1" >"$tmp"
	cat "$tmp" >"$1"
}

# The section keeps what it already has.
{
	sed -n '/^## Unreleased$/q;p' CHANGELOG.md
	printf '## Unreleased\n\n## %s (%s)\n\n' "$VERSION" "${TODAY:-$(date -u +%Y-%m-%d)}"
	release/notes.sh "$VERSION" 2>/dev/null | sed '/./,$!d' || true
	[ -z "$unreleased" ] || printf '%s\n' "$unreleased"
	awk -v version="$VERSION" '/^## / { older = $2 != "Unreleased" && $2 != version; if (older) print "" } older' CHANGELOG.md | cat -s
} >"$tmp"
cat "$tmp" >CHANGELOG.md
number=$(printf '%s' "${last#v}" | sed 's/\./\\./g')
for file in $files; do
	[ ! -f "$file" ] || replace "$file" "s/(^|[^0-9A-Za-z.-])v$number([^0-9A-Za-z.]|\.[^0-9]|\.?\$)/\1$VERSION\2/g; s/([@\"/])$number([\"'\`]|\$)/\1${VERSION#v}\2/g; s/(^|\. )Nothing is published yet\. /\1/"
done
printf '%s: read the changes, commit them, and then: git tag -s %s && git push origin %s\n' "$VERSION" "$VERSION" "$VERSION"
