#!/bin/sh
# Prints the Homebrew formula of a release: channels/homebrew.rb with the digests of its
# checksums.txt.
#
#   VERSION=v1.2.3 CI_PROJECT_URL=https://… release/formula.sh dist/checksums.txt
#
# GoReleaser makes casks. A formula needs no workaround for programs that Apple hasn't
# notarized, and puts the manual and the completions where they belong on both systems.
set -eu
awk -v version="${VERSION:?}" -v release="${CI_PROJECT_URL:?}/-/releases/$VERSION/downloads" '
	function fail(what) { print "formula.sh: " what >"/dev/stderr"; exit 1 }
	FILENAME == ARGV[1] { sub(/^\*/, "", $2); digest[$2] = $1; next }
	/^#/ { next }
	{
		gsub(/@release@/, release); gsub(/@version@/, version)
		number = version; sub(/^v/, "", number); gsub(/@number@/, number)
	}
	$1 == "url" { name = $2; sub(/.*\//, "", name); sub(/"$/, "", name) }
	/@sha256@/ {
		if (digest[name] !~ /^[0-9a-f]+$/ || length(digest[name]) != 64) fail(FILENAME " names " name ", which has no digest in " ARGV[1])
		sub(/@sha256@/, digest[name])
	}
	{ print }' "${1:?}" "${FORMULA:-channels/homebrew.rb}"
