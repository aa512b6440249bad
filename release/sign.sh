#!/bin/sh
# Signs a release with cosign ($COSIGN): in a GitLab job without a key, as the pipeline of
# a tag (SIGSTORE_ID_TOKEN from id_tokens); elsewhere with the key COSIGN_KEY.
#
#   release/sign.sh checksums checksums.txt BUNDLE    signs the file
#   release/sign.sh provenance checksums.txt BUNDLE   signs a statement about how all files were built
#   release/sign.sh statement checksums.txt           prints that statement
#   release/sign.sh index checksums.txt FILE          writes the version with its digest, for Renovate
#   release/sign.sh image NAME@DIGEST                 signs an image and those that it lists
#
# The statement is SLSA provenance (https://slsa.dev/spec/v1.0/provenance): its subjects
# are the files of checksums.txt, with the same digests.
set -eu
cosign=${COSIGN:-cosign}

# by_whom runs cosign with the flags that say who signs. Tokens aren't passed as arguments.
by_whom() {
	if [ -n "${COSIGN_KEY:-}" ]; then
		"$cosign" "$@" --yes --key "$COSIGN_KEY" --tlog-upload=false
	else
		: "${SIGSTORE_ID_TOKEN:?is not set; id_tokens of the job sets it, or set COSIGN_KEY}"
		"$cosign" "$@" --yes
	fi
}

statement() {
	awk -v project="${CI_PROJECT_URL:?}" -v commit="${CI_COMMIT_SHA:?}" -v version="${VERSION:?}" \
		-v runner="${CI_RUNNER_ID:-0}" -v job="${CI_JOB_URL:-}" '
		BEGIN { printf "{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[" }
		!/^[0-9a-f]+ [ *][0-9A-Za-z._+-]+$/ || length($1) != 64 { bad = 1; exit 1 }
		{ sub(/^\*/, "", $2); printf "%s{\"name\":\"%s\",\"digest\":{\"sha256\":\"%s\"}}", (NR > 1 ? "," : ""), $2, $1 }
		END {
			if (bad || !NR) exit 1
			printf "],\"predicateType\":\"https://slsa.dev/provenance/v1\",\"predicate\":{\"buildDefinition\":{"
			printf "\"buildType\":\"%s/-/blob/%s/.gitlab-ci.yml\",", project, version
			printf "\"externalParameters\":{\"source\":\"%s\",\"ref\":\"refs/tags/%s\"},\"internalParameters\":{},", project, version
			printf "\"resolvedDependencies\":[{\"uri\":\"git+%s@refs/tags/%s\",\"digest\":{\"gitCommit\":\"%s\"}}]},", project, version, commit
			printf "\"runDetails\":{\"builder\":{\"id\":\"%s/-/runners/%s\"},\"metadata\":{\"invocationId\":\"%s\"}}}}\n", project, runner, job
		}' "$1" || {
		echo "sign.sh: $1 isn't a list of digests and plain names" >&2
		return 1
	}
}

case ${1:-} in
checksums)
	by_whom sign-blob --new-bundle-format --bundle "${3:?}" "${2:?}" >/dev/null
	chmod 644 "$3"
	;;
statement) statement "${2:?}" ;;
index)
	digest=$(sha256sum <"${2:?}")
	printf '{"releases":[{"version":"%s","digest":"%s"}]}\n' "${VERSION:?}" "${digest%% *}" >"${3:?}"
	;;
provenance)
	file=$(mktemp)
	trap 'rm -f "$file"' EXIT
	statement "${2:?}" >"$file"
	by_whom attest-blob --new-bundle-format --statement "$file" --bundle "${3:?}" >/dev/null
	chmod 644 "$3"
	;;
image)
	case ${2:-} in
	*@sha256:*) by_whom sign --recursive "$2" ;;
	*)
		echo 'sign.sh: an image is signed by its digest: NAME@sha256:…' >&2
		exit 1
		;;
	esac
	;;
*)
	echo 'sign.sh: what: checksums, provenance, statement, index, image?' >&2
	exit 1
	;;
esac
