#!/bin/sh
# Creates dist/rootfs/linux-ARCH for each given ARCH (amd64, arm64): Debian's static
# busybox under all its names, users, and /tmp. Building an image from it needs no registry.
#
#   release/rootfs.sh amd64 arm64
#
# busybox is $BUSYBOX_amd64 or $BUSYBOX_arm64, or else the one in the installed package
# busybox-static. For another architecture, apt-get downloads and verifies it. The list of
# its names comes from the installed one, because only that can run here.
set -eu
umask 022
out=dist/rootfs
epoch=${SOURCE_DATE_EPOCH:?the time of the release, in seconds since 1970}
native=/bin/busybox
host=$(dpkg --print-architecture)

fail() {
	printf 'rootfs.sh: %s\n' "$*" >&2
	exit 1
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

dpkg -s busybox-static >/dev/null 2>&1 || fail 'the package busybox-static is not installed'

# download ARCH downloads another architecture's busybox and prints its path.
download() {
	mkdir -p "$tmp/$1/lists/partial" "$tmp/$1/cache/archives/partial"
	(
		cd "$tmp/$1"
		set -- -qq -o APT::Architecture="$1" -o APT::Architectures="$1" -o Dir::State::Lists="$tmp/$1/lists" \
			-o Dir::Cache="$tmp/$1/cache" -o Dir::State::status=/dev/null -o APT::Sandbox::User=root
		apt-get "$@" update
		apt-get "$@" download busybox-static
		dpkg-deb -x busybox-static_*.deb root
	) >&2
	printf '%s\n' "$tmp/$1/root/bin/busybox"
}

# busybox ARCH prints its path.
busybox() {
	eval "given=\${BUSYBOX_$1:-}"
	if [ -n "$given" ]; then
		printf '%s\n' "$given"
	elif [ "$1" = "$host" ]; then
		printf '%s\n' "$native"
	else
		download "$1"
	fi
}

# Other versions have other names. A rebuild of the package (+b1) has the same ones.
banner=$("$native" | sed -n '1s/\(+b[0-9]*\)\{0,1\}) .*//p')
[ -n "$banner" ] || fail "$native does not say which version it is"

for arch; do
	case $arch in
	amd64 | arm64) ;;
	*) fail "no image is made for $arch" ;;
	esac
	from=$(busybox "$arch")
	grep -aqF "$banner" "$from" || fail "$from is not $banner, as the one is that is installed here"
	root=$out/linux-$arch
	rm -rf "$root"
	mkdir -p "$root/bin" "$root/etc" "$root/root" "$root/tmp" "$root/usr/share/doc/busybox-static"
	cat "$from" >"$root/bin/busybox"
	chmod 755 "$root/bin/busybox"
	"$native" --list-full | while read -r name; do
		[ "$name" != bin/busybox ] || continue
		mkdir -p "$root/${name%/*}"
		ln -s /bin/busybox "$root/$name"
	done
	cat /usr/share/doc/busybox-static/copyright >"$root/usr/share/doc/busybox-static/copyright"
	printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/tmp:/bin/sh\n' >"$root/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
	chmod 700 "$root/root"
	chmod 1777 "$root/tmp"
	find "$root" -exec touch -h -d "@$epoch" {} +
done
