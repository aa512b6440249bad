#!/bin/sh
# Puts into bin/stage what archives and packages contain besides the program, and the
# program that writes the SBOMs. GoReleaser runs it before it builds.
set -eu
umask 022
: "${GO:=go}" "${TAGS:?}" "${OVERLAY:?}" "${SOURCE_DATE_EPOCH:?}"
stage=bin/stage
rm -rf "$stage"
mkdir -p "$stage/completions"

# licences prints the licences of all modules in the program, on any system, as they
# require. Go's standard library has the same one as golang.org/x/sys.
licences() {
	for os in linux darwin windows; do
		CGO_ENABLED=0 GOOS=$os GOARCH=amd64 "$GO" list -deps -tags "$TAGS" \
			-f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' .
	done | LC_ALL=C sort -u >"$stage/modules"
	while read -r module version dir; do
		found=''
		for file in "$dir"/*; do
			[ -f "$file" ] || continue
			case $(basename "$file" | tr '[:upper:]' '[:lower:]') in
			license | licence | copying | notice | patents | license[.-]* | licence[.-]* | copying[.-]* | notice[.-]* | patents[.-]*) ;;
			*) continue ;;
			esac
			found=yes
			printf '%s %s: %s\n\n' "$module" "$version" "$(basename "$file")"
			cat "$file"
			printf '\n%s\n\n' ------------------------------------------------------------------------
		done
		[ -n "$found" ] || {
			echo "stage.sh: $module has no licence in $dir" >&2
			return 1
		}
	done <"$stage/modules"
}

licences >"$stage/LICENSES.txt"
rm "$stage/modules"
gzip -9n <docs/artifetch.1 >"$stage/artifetch.1.gz"
# Built for this machine, whatever the release's platform.
unset GOOS GOARCH GOAMD64 GOARM64 GOFLAGS
# With the release's flags, so that little is compiled twice.
CGO_ENABLED=0 "$GO" build -overlay "$OVERLAY" -trimpath -buildvcs=false -tags "$TAGS" -o "$stage/artifetch" .
CGO_ENABLED=0 "$GO" build -trimpath -buildvcs=false -o "$stage/sbom" ./internal/sbom
for shell in bash:artifetch.bash fish:artifetch.fish powershell:artifetch.ps1 zsh:_artifetch; do
	"$stage/artifetch" completion "${shell%%:*}" >"$stage/completions/${shell#*:}"
done
find "$stage" -type f -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
