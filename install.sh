#!/bin/sh
# Installs artifetch from a directory on a web server that holds what `make release`
# made, such as a package in GitLab's generic registry.
#
#   sh install.sh URL [VERSION] [DIRECTORY]
#
#   ARTIFETCH_URL               the address of the directory that has checksums.txt
#   ARTIFETCH_VERSION           refuse another version (default: the one that is there)
#   ARTIFETCH_DIR               where the program goes (default: /usr/local/bin)
#   ARTIFETCH_CHECKSUMS_SHA256  refuse a checksums.txt with another SHA-256
#   ARTIFETCH_INSTALL_HEADER    send this header, such as "JOB-TOKEN: $CI_JOB_TOKEN"
#   ARTIFETCH_INSTALL_HEADER_FILE  send the headers of this file
#   ARTIFETCH_OS, ARTIFETCH_ARCH  install for another machine: linux, darwin; amd64, …
#   ARTIFETCH_SIGNER            the project whose pipeline signed the release
#                               (default: https://gitlab.com/artifetch/artifetch); none: don't check
#   ARTIFETCH_SIGNER_KEY        the file of a public key that signed it instead
#
# The checksum is always verified; the signature of checksums.txt if cosign is there.
# The headers go to URL's server alone, never along a redirect; no token is part of a
# process list or of a trace. Exit codes are the program's: 2 usage, 6 network, 7 the
# digest differs, 9 local file system. Nothing is installed unless the code is 0.
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
	armv7* | armv8l) echo arm ;; # armv8l is 32 bits on a processor of 64
	*) uname -m ;;
	esac
}

# chosen OS/ARCH
supported() {
	case $1 in
	linux/amd64 | linux/arm64 | linux/arm | linux/ppc64le | linux/s390x | linux/riscv64 | darwin/amd64 | darwin/arm64) ;;
	*) fail 2 "there is no program for $1; where that is wrong, set ARTIFETCH_OS and ARTIFETCH_ARCH" ;;
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
		fail 2 'neither sha256sum, shasum nor openssl is here: nothing could be verified'
	fi
	printf '%s\n' "${1%%[ *]*}"
}

# headers writes what is to be sent into a file that nobody else may read. A
# here-document is part of no command line, and of no trace.
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
	has curl || fail 2 'a header can be sent by curl alone, which is not here: wget would show it in the process list'
}

# choose_tool decides who downloads.
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
				fail 2 'the wget of busybox verifies no certificate: set ARTIFETCH_CHECKSUMS_SHA256, or install curl' ;;
			esac
			;;
		esac
	else
		fail 2 'neither curl nor wget is here'
	fi
}

# by_curl FILE [FLAG…] downloads the address in $work/address. An address may hold a
# signature, so that it is no argument, either.
by_curl() {
	to=$1
	shift
	case $url in
	https:*) set -- --proto '=https' "$@" ;; # and never http, whatever it redirects to
	*) set -- --proto '=http,https' "$@" ;;
	esac
	curl -sS -f --retry 3 --connect-timeout 30 --speed-limit 1 --speed-time 60 -K "$work/address" -o "$to" "$@"
}

# address writes the address in a file into another one, for curl.
address() {
	! grep -q '["\\]' "$1" || fail 6 'the server redirects to an address that is none'
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
			# curl would send the headers on. Where it leads asks for none.
			echo >>"$work/redirect"
			address "$work/redirect"
		fi
		by_curl "$work/$name" -L || not_downloaded
		;;
	# That of busybox crashes over -T in some versions.
	wget) wget -q -t 3 -T 60 -O "$work/$name" "$url/$name" || not_downloaded ;;
	*) wget -q -O "$work/$name" "$url/$name" || not_downloaded ;;
	esac
}

not_downloaded() { fail 6 "$url/$name was not downloaded"; }

# verify FILE DIGEST WHOSE
verify() {
	got=$(digest "$work/$1")
	is_digest "$got" || fail 2 "the digest of $1 cannot be computed here"
	[ "$got" = "$2" ] || fail 7 "$1 has the SHA-256 $got, but $3 says $2; nothing is installed"
}

# find_archive sets archive and sum from checksums.txt: the archive of the platform.
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

# signed verifies who signed checksums.txt, if cosign is here.
signed() {
	signer=${ARTIFETCH_SIGNER:-https://gitlab.com/artifetch/artifetch} bundle=checksums.txt.sigstore.json
	[ "$signer" != none ] && has cosign || return 0
	if ! (download "$bundle") 2>/dev/null; then
		[ -n "${ARTIFETCH_CHECKSUMS_SHA256:-}" ] || fail 7 "$url has no $bundle, so cosign can't verify who signed it; set ARTIFETCH_CHECKSUMS_SHA256, or ARTIFETCH_SIGNER=none if it isn't signed; nothing is installed"
		return 0
	fi
	if [ -n "${ARTIFETCH_SIGNER_KEY:-}" ]; then
		# Nobody but the key is trusted, so that nothing is asked of the network.
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

# put moves the program into place; what was there works until it is replaced.
put() {
	tar -xzf "$work/$archive" -C "$work" "${archive%.tar.gz}/artifetch" || fail 7 "$archive has no program in it"
	[ -f "$work/${archive%.tar.gz}/artifetch" ] || fail 7 "$archive has no program in it"
	mkdir -p "$dir" || fail 9 "$dir cannot be made"
	[ ! -d "$dir/artifetch" ] || fail 9 "$dir/artifetch is a directory"
	new=$(mktemp "$dir/.artifetch.XXXXXX") || fail 9 "nothing can be written to $dir; name another directory, or be somebody who may"
	cat "$work/${archive%.tar.gz}/artifetch" >"$new" || fail 9 "$dir is full"
	chmod 755 "$new"
	mv -f "$new" "$dir/artifetch" || fail 9 "$dir/artifetch cannot be replaced"
	new=''
}

main() {
	url=${1:-${ARTIFETCH_URL:-}} version=${2:-${ARTIFETCH_VERSION:-}} dir=${3:-${ARTIFETCH_DIR:-/usr/local/bin}}
	url=${url%/}
	case $url in
	https://?* | http://?*) ;;
	*) fail 2 'which address? sh install.sh URL [VERSION] [DIRECTORY]; URL is the directory that has checksums.txt' ;;
	esac
	case $url$version in
	*[\"\\\*\?\[]* | *' '*) fail 2 'the address and the version are to be plain, without blanks, quotes and patterns' ;;
	esac
	os=${ARTIFETCH_OS:-$(detect_os)} arch=${ARTIFETCH_ARCH:-$(detect_arch)}
	supported "$os/$arch"
	choose_tool
	trap cleanup EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	work=$(umask 077 && mktemp -d) || fail 9 'no temporary directory can be made'
	headers
	download checksums.txt
	if [ -n "${ARTIFETCH_CHECKSUMS_SHA256:-}" ]; then
		is_digest "$ARTIFETCH_CHECKSUMS_SHA256" || fail 2 'ARTIFETCH_CHECKSUMS_SHA256 is not 64 digits from 0 to f'
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
