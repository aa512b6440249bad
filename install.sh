#!/bin/sh
# Installs artifetch from a directory on a web server that contains the output of
# `make release`, such as a package in GitLab's generic registry.
#
#   sh install.sh URL [VERSION] [DIRECTORY]
#
#   ARTIFETCH_URL               the address of the directory that contains checksums.txt
#   ARTIFETCH_VERSION           refuse any other version (default: the one in that directory)
#   ARTIFETCH_DIR               where to install the program (default: /usr/local/bin)
#   ARTIFETCH_CHECKSUMS_SHA256  refuse a checksums.txt with any other SHA-256
#   ARTIFETCH_INSTALL_HEADER    send this header, such as "JOB-TOKEN: $CI_JOB_TOKEN"
#   ARTIFETCH_INSTALL_HEADER_FILE  send the headers in this file
#   ARTIFETCH_OS, ARTIFETCH_ARCH  install for another machine: linux, darwin; amd64, …
#   ARTIFETCH_SIGNER            the project whose pipeline signed the release
#                               (default: https://gitlab.com/artifetch/artifetch); none: don't verify
#   ARTIFETCH_SIGNER_KEY        verify the signature with the public key in this file instead
#
# The script always verifies the checksum, and the signature of checksums.txt if cosign is
# installed. It sends the headers only to URL's server, never along a redirect. Tokens don't
# appear in process lists or traces. Exit codes match the program's: 2 usage, 6 network,
# 7 a digest differs, 9 local file system. Nothing is installed unless the code is 0.
set -eu
umask 022

work='' new=''

# fail CODE MESSAGE
fail() {
	code=$1
	shift
	printf 'install.sh: %s\n' "$*" >&2
	exit "$code"
}

cleanup() {
	[ -z "$work" ] || rm -rf "$work"
	[ -z "$new" ] || rm -f "$new"
}

has() { command -v "$1" >/dev/null 2>&1; }

detect_os() {
	case $(uname -s) in
	Linux) echo linux ;;
	Darwin) echo darwin ;;
	*) uname -s ;;
	esac
}

detect_arch() {
	case $(uname -m) in
	x86_64 | amd64) echo amd64 ;;
	aarch64 | arm64) echo arm64 ;;
	armv7* | armv8l) echo arm ;; # armv8l is a 32-bit system on a 64-bit processor
	*) uname -m ;;
	esac
}

# supported OS/ARCH
supported() {
	case $1 in
	linux/amd64 | linux/arm64 | linux/arm | linux/ppc64le | linux/s390x | linux/riscv64 | darwin/amd64 | darwin/arm64) ;;
	*) fail 2 "artifetch isn't built for $1; if that is the wrong platform, set ARTIFETCH_OS and ARTIFETCH_ARCH" ;;
	esac
}

# is_digest TEXT
is_digest() {
	case $1 in
	*[!0-9a-f]*) return 1 ;;
	esac
	[ "${#1}" -eq 64 ]
}

# digest FILE
digest() {
	if has sha256sum; then
		set -- "$(sha256sum <"$1")"
	elif has shasum; then
		set -- "$(shasum -a 256 <"$1")"
	elif has openssl; then
		set -- "$(openssl dgst -sha256 -r <"$1")"
	else
		fail 2 'cannot verify anything: install sha256sum, shasum or openssl'
	fi
	printf '%s\n' "${1%%[ *]*}"
}

# headers writes the headers to a file that only this user can read. A here-document
# doesn't appear in command lines or traces.
headers() {
	if [ -n "${ARTIFETCH_INSTALL_HEADER_FILE:-}" ]; then
		cat "$ARTIFETCH_INSTALL_HEADER_FILE" >"$work/headers" || fail 2 "cannot read ARTIFETCH_INSTALL_HEADER_FILE"
	elif [ -n "${ARTIFETCH_INSTALL_HEADER:+set}" ]; then
		cat >"$work/headers" <<-EOF
			$ARTIFETCH_INSTALL_HEADER
		EOF
	else
		return 0
	fi
	has curl || fail 2 'install curl to send a header: wget would show it in the process list'
}

# choose_tool selects curl or wget.
choose_tool() {
	if has curl; then
		tool=curl
	elif has wget; then
		tool=wget
		case $(wget --help 2>&1) in
		*BusyBox*)
			tool='busybox wget'
			case $url in
			https:*) [ -n "${ARTIFETCH_CHECKSUMS_SHA256:-}" ] ||
				fail 2 'the wget of busybox does not verify certificates: set ARTIFETCH_CHECKSUMS_SHA256, or install curl' ;;
			esac
			;;
		esac
	else
		fail 2 'install curl or wget'
	fi
}

# by_curl FILE [FLAG…] downloads the address in $work/address. An address may contain a
# signature, so it isn't passed as an argument either.
by_curl() {
	to=$1
	shift
	case $url in
	https:*) set -- --proto '=https' "$@" ;; # never http, even after a redirect
	*) set -- --proto '=http,https' "$@" ;;
	esac
	curl -sS -f --retry 3 --connect-timeout 30 --speed-limit 1 --speed-time 60 -K "$work/address" -o "$to" "$@"
}

# address FILE writes the address in FILE to $work/address, as curl's configuration.
address() {
	! grep -q '["\\]' "$1" || fail 6 'the server redirects to an invalid address'
	read -r line <"$1"
	cat >"$work/address" <<-EOF
		url = "$line"
	EOF
}

# download NAME
download() {
	name=$1
	case $tool in
	curl)
		printf '%s\n' "$url/$name" >"$work/given"
		address "$work/given"
		if [ -f "$work/headers" ]; then
			by_curl "$work/$name" -H @"$work/headers" -w '%{redirect_url}' >"$work/redirect" || not_downloaded
			[ -s "$work/redirect" ] || return 0
			# With -L, curl would send the headers there, too; the new address doesn't need them.
			echo >>"$work/redirect"
			address "$work/redirect"
		fi
		by_curl "$work/$name" -L || not_downloaded
		;;
	# Some versions of busybox's wget crash with -T.
	wget) wget -q -t 3 -T 60 -O "$work/$name" "$url/$name" || not_downloaded ;;
	*) wget -q -O "$work/$name" "$url/$name" || not_downloaded ;;
	esac
}

not_downloaded() { fail 6 "cannot download $url/$name"; }

# verify FILE DIGEST WHOSE
verify() {
	got=$(digest "$work/$1")
	is_digest "$got" || fail 2 "cannot compute the digest of $1"
	[ "$got" = "$2" ] || fail 7 "$1 has the SHA-256 $got, but $3 says $2; nothing is installed"
}

# find_archive sets archive and sum to the platform's entry in checksums.txt.
find_archive() {
	archive='' sum=''
	while read -r one name; do
		case ${name#\*} in
		*/*) continue ;;
		artifetch_"$version"_"$os"_"$arch".tar.gz) ;;
		artifetch_*_"$os"_"$arch".tar.gz) [ -z "$version" ] || continue ;;
		*) continue ;;
		esac
		[ -z "$archive" ] || fail 2 "$url has several versions; name one"
		archive=${name#\*} sum=$one
	done <"$work/checksums.txt"
	[ -n "$archive" ] || fail 7 "checksums.txt of $url has no line for version ${version:-(any)} on $os/$arch; nothing is installed"
	is_digest "$sum" || fail 7 "checksums.txt of $url has no SHA-256 for $archive; nothing is installed"
}

# signed verifies who signed checksums.txt, if cosign is installed.
signed() {
	signer=${ARTIFETCH_SIGNER:-https://gitlab.com/artifetch/artifetch} bundle=checksums.txt.sigstore.json
	[ "$signer" != none ] && has cosign || return 0
	if ! (download "$bundle") 2>/dev/null; then
		[ -n "${ARTIFETCH_CHECKSUMS_SHA256:-}" ] || fail 7 "$url has no $bundle, so cosign can't verify who signed it; set ARTIFETCH_CHECKSUMS_SHA256, or ARTIFETCH_SIGNER=none if it isn't signed; nothing is installed"
		return 0
	fi
	if [ -n "${ARTIFETCH_SIGNER_KEY:-}" ]; then
		# Only the key is trusted, so cosign makes no network requests.
		echo '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}' >"$work/root"
		set -- --key "$ARTIFETCH_SIGNER_KEY" --insecure-ignore-tlog --trusted-root "$work/root"
	else
		tag=${archive#artifetch_}
		tag=${tag%_"$os"_"$arch".tar.gz} issuer=${signer#https://}
		set -- --certificate-identity "$signer//.gitlab-ci.yml@refs/tags/$tag" --certificate-oidc-issuer "https://${issuer%%/*}"
	fi
	cosign verify-blob --new-bundle-format --bundle "$work/$bundle" "$@" "$work/checksums.txt" >"$work/cosign" 2>&1 || {
		cat "$work/cosign" >&2
		fail 7 "checksums.txt isn't signed by ${ARTIFETCH_SIGNER_KEY:-$signer}; nothing is installed"
	}
	printf 'checksums.txt is signed by %s\n' "${ARTIFETCH_SIGNER_KEY:-$signer}"
}

# put moves the program into place. The old program works until it is replaced.
put() {
	tar -xzf "$work/$archive" -C "$work" "${archive%.tar.gz}/artifetch" || fail 7 "$archive does not contain the program"
	[ -f "$work/${archive%.tar.gz}/artifetch" ] || fail 7 "$archive does not contain the program"
	mkdir -p "$dir" || fail 9 "cannot create $dir"
	[ ! -d "$dir/artifetch" ] || fail 9 "$dir/artifetch is a directory"
	new=$(mktemp "$dir/.artifetch.XXXXXX") || fail 9 "cannot write to $dir; name another directory, or run this as a user who can"
	cat "$work/${archive%.tar.gz}/artifetch" >"$new" || fail 9 "cannot write to $dir: is the disk full?"
	chmod 755 "$new"
	mv -f "$new" "$dir/artifetch" || fail 9 "cannot replace $dir/artifetch"
	new=''
}

main() {
	url=${1:-${ARTIFETCH_URL:-}} version=${2:-${ARTIFETCH_VERSION:-}} dir=${3:-${ARTIFETCH_DIR:-/usr/local/bin}}
	url=${url%/}
	case $url in
	https://?* | http://?*) ;;
	*) fail 2 'URL must be an http or https address: sh install.sh URL [VERSION] [DIRECTORY]; URL is the directory that contains checksums.txt' ;;
	esac
	case $url$version in
	*[\"\\\*\?\[]* | *' '*) fail 2 'the address and the version must not contain spaces, quotes or wildcards' ;;
	esac
	os=${ARTIFETCH_OS:-$(detect_os)} arch=${ARTIFETCH_ARCH:-$(detect_arch)}
	supported "$os/$arch"
	choose_tool
	trap cleanup EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	work=$(umask 077 && mktemp -d) || fail 9 'cannot create a temporary directory'
	headers
	download checksums.txt
	if [ -n "${ARTIFETCH_CHECKSUMS_SHA256:-}" ]; then
		is_digest "$ARTIFETCH_CHECKSUMS_SHA256" || fail 2 'ARTIFETCH_CHECKSUMS_SHA256 must be 64 digits, 0 to 9 and a to f'
		verify checksums.txt "$ARTIFETCH_CHECKSUMS_SHA256" ARTIFETCH_CHECKSUMS_SHA256
	fi
	find_archive
	signed
	download "$archive"
	verify "$archive" "$sum" checksums.txt
	put
	printf '%s is installed as %s\n' "${archive%.tar.gz}" "$dir/artifetch"
}

main "$@"
