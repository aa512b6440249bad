#!/bin/sh
# Prints what CHANGELOG.md says about a version: release/notes.sh v1.2.3
set -eu
notes=$(awk -v heading="## ${1:?which version?}" '
	$0 == heading || index($0, heading " ") == 1 { found = 1; next }
	/^## / { found = 0 }
	found { print }' "${CHANGELOG:-CHANGELOG.md}")
[ -n "$notes" ] || {
	echo "notes.sh: CHANGELOG.md has no section for $1; make one: make version VERSION=$1" >&2
	exit 1
}
printf '%s\n' "$notes"
