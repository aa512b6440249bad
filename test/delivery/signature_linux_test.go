package delivery

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// standIn is a cosign that writes down how it was called, and ends with a code. It keeps
// the statement that it is to sign in its directory.
func standIn(t *testing.T, dir string, code int) (calls func() string) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "calls")
	script := fmt.Sprintf(`#!/bin/sh
printf '%%s\n' "$*" >>%[1]s
while [ $# -gt 0 ]; do
	[ "$1" != --statement ] || cat "$2" >%[3]s/statement
	[ "$1" != --bundle ] || [ -f "$2" ] || echo signed >"$2"
	shift
done
echo 'what cosign says' >&2
exit %[2]d
`, log, code, dir)
	if err := os.WriteFile(filepath.Join(dir, "cosign"), []byte(script), 0o755); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	return func() string {
		content, err := os.ReadFile(log)
		if err != nil && !os.IsNotExist(err) {
			t.Error(err)
		}
		return string(content)
	}
}

// If cosign is installed, the installer uses it to verify that the pipeline of the same tag
// signed checksums.txt, and installs nothing that isn't signed, or by anyone else.
func TestInstallSignature(t *testing.T) {
	t.Parallel()
	const keyless = "--certificate-identity https://gitlab.com/artifetch/artifetch//.gitlab-ci.yml@refs/tags/v1.2.3 --certificate-oidc-issuer https://gitlab.com "
	for _, tt := range []struct {
		name     string
		code     int // of cosign
		unsigned bool
		env      string
		want     int
		called   string
		says     string
	}{
		{name: "signed", called: keyless, says: "is signed by https://gitlab.com/artifetch/artifetch"},
		{name: "by somebody else", code: 1, want: 7, called: keyless, says: "what cosign says"},
		{name: "not signed", unsigned: true, want: 7, says: "has no checksums.txt.sigstore.json"},
		{name: "not signed, but pinned", unsigned: true, env: "pin"},
		{name: "pinned, and by somebody else", code: 1, env: "pin", want: 7, called: keyless, says: "isn't signed by"},
		{name: "unasked", code: 1, env: "ARTIFETCH_SIGNER=none"},
		{
			name: "own", env: "ARTIFETCH_SIGNER=https://gitlab.example.com/group/artifetch",
			called: "--certificate-identity https://gitlab.example.com/group/artifetch//.gitlab-ci.yml@refs/tags/v1.2.3 --certificate-oidc-issuer https://gitlab.example.com ",
		},
		{name: "key", env: "ARTIFETCH_SIGNER_KEY=cosign.pub", called: "--key cosign.pub --insecure-ignore-tlog ", says: "is signed by cosign.pub"},
	} {
		for _, shell := range []string{"dash", "busybox sh"} {
			t.Run(tt.name+"/"+shell, func(t *testing.T) {
				t.Parallel()
				s := newShelf(t, nil)
				if !tt.unsigned {
					s.files["checksums.txt.sigstore.json"] = "{}"
				}
				i := newInstaller(t, shell, "curl", "sha256sum")
				calls := standIn(t, i.tools, tt.code)
				env := tt.env
				if env == "pin" {
					env = fmt.Sprintf("ARTIFETCH_CHECKSUMS_SHA256=%x", sha256.Sum256([]byte(s.files["checksums.txt"])))
				}
				i.env = append(i.env, env)
				code, out := i.run(t, s.URL+"/release")
				if code != tt.want || !strings.Contains(out, tt.says) {
					t.Errorf("code %d, want %d: %s", code, tt.want, out)
				}
				got := calls()
				if (got == "") != (tt.called == "") || !strings.Contains(got, tt.called) || got != "" && !strings.HasPrefix(got, "verify-blob --new-bundle-format --bundle ") {
					t.Errorf("cosign %s", got)
				}
				if tt.want == 0 {
					i.holds(t, newProgram)
				} else {
					i.holds(t, oldProgram)
				}
			})
		}
	}
}

// The commands in docs/delivery.md verify the same identity as the installer, which is the
// one that TestCosign signs with.
func TestSignaturePage(t *testing.T) {
	t.Parallel()
	page := regexp.MustCompile(`refs/tags/v[0-9.]+`).ReplaceAllString(harness.Read(t, "docs/delivery.md"), "refs/tags/v1.2.3")
	for _, flag := range []string{"--certificate-identity " + signer + "//.gitlab-ci.yml@refs/tags/v1.2.3", "--certificate-oidc-issuer https://gitlab.com "} {
		if got := strings.Count(page, flag); got != 3 { // checksums, provenance, image
			t.Errorf("%d times %s, want 3", got, flag)
		}
	}
}

// signing runs release/sign.sh.
func signing(t *testing.T, dir string, env []string, args ...string) (string, error) {
	t.Helper()
	script, err := filepath.Abs(filepath.Join(harness.Root, "release/sign.sh"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), script, args...)
	cmd.Dir = dir
	cmd.Env = append([]string{
		"PATH=" + dir + ":" + os.Getenv("PATH"), "VERSION=v1.2.3", "CI_PROJECT_URL=https://gitlab.com/artifetch/artifetch",
		"CI_COMMIT_SHA=0123456789abcdef0123456789abcdef01234567", "CI_JOB_URL=https://gitlab.com/artifetch/artifetch/-/jobs/1",
	}, env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// What a release is signed with: the token of the job or a key, and no secret is an
// argument.
func TestSigning(t *testing.T) {
	t.Parallel()
	const token = "eyJhbGciOi.secret" //nolint:gosec // of nothing
	keyless, local := []string{"SIGSTORE_ID_TOKEN=" + token}, []string{"COSIGN_KEY=cosign.key"}
	image := "registry.example.com/a@sha256:" + strings.Repeat("0", 64)
	for _, tt := range []struct {
		env  []string
		args string
		want string // what cosign is called with; empty: it is refused
	}{
		{keyless, "checksums checksums.txt b", "sign-blob --new-bundle-format --bundle b checksums.txt --yes\n"},
		{local, "checksums checksums.txt b", "sign-blob --new-bundle-format --bundle b checksums.txt --yes --key cosign.key --tlog-upload=false\n"},
		{keyless, "image " + image, "sign --recursive " + image + " --yes\n"},
		{keyless, "image registry.example.com/a:v1.2.3", ""},
		{nil, "checksums checksums.txt b", ""},
		{keyless, "something", ""},
	} {
		dir := t.TempDir()
		calls := standIn(t, dir, 0)
		out, err := signing(t, dir, tt.env, strings.Fields(tt.args)...)
		if got := calls(); got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s: %q, want %q: %v: %s", tt.args, got, tt.want, err, out)
		}
	}
	dir := t.TempDir()
	standIn(t, dir, 1)
	if _, err := signing(t, dir, keyless, "checksums", "checksums.txt", "b"); err == nil {
		t.Error("cosign fails, and nothing says so")
	}
}

// statement is in-toto's, with a predicate of SLSA: https://slsa.dev/spec/v1.0/provenance
type statement struct {
	Type          string `json:"_type"`
	PredicateType string
	Subject       []struct {
		Name   string
		Digest map[string]string
	}
	Predicate struct {
		BuildDefinition struct {
			BuildType            string
			ExternalParameters   map[string]string
			ResolvedDependencies []struct {
				URI    string
				Digest map[string]string
			}
		}
		RunDetails struct{ Builder struct{ ID string } }
	}
}

// subjects are the lines of checksums.txt that s is about.
func (s statement) subjects() (lines []string) {
	for _, subject := range s.Subject {
		lines = append(lines, subject.Digest["sha256"]+"  "+subject.Name)
	}
	return lines
}

// The statement is about the files of checksums.txt, all of them and no others.
func TestStatement(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lines := []string{strings.Repeat("a", 64) + "  artifetch_v1.2.3_linux_amd64.tar.gz", strings.Repeat("0", 64) + "  install.sh"}
	write := func(content string) {
		if err := os.WriteFile(filepath.Join(dir, "checksums.txt"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(strings.Join(lines, "\n") + "\n")
	standIn(t, dir, 0)
	out, err := signing(t, dir, nil, "statement", "checksums.txt")
	var s statement
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	d := s.Predicate.BuildDefinition
	if err != nil || !slices.Equal(s.subjects(), lines) || s.Type != "https://in-toto.io/Statement/v1" || s.PredicateType != "https://slsa.dev/provenance/v1" ||
		d.ExternalParameters["ref"] != "refs/tags/v1.2.3" || len(d.ResolvedDependencies) != 1 || len(d.ResolvedDependencies[0].Digest["gitCommit"]) != 40 {
		t.Errorf("%v: %+v", err, s)
	}
	if out, err := signing(t, dir, nil, "index", "checksums.txt", "release.json"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	index, err := os.ReadFile(filepath.Join(dir, "release.json"))
	want := fmt.Sprintf(`{"releases":[{"version":"v1.2.3","digest":"%x"}]}`+"\n", sha256.Sum256([]byte(strings.Join(lines, "\n")+"\n")))
	if err != nil || string(index) != want {
		t.Errorf("%v: %s, want %s", err, index, want)
	}
	for _, bad := range []string{"", "abc  name\n", lines[0] + "\n" + strings.Repeat("0", 64) + "  na\"me\n", strings.Repeat("0", 64) + "  a/b\n"} {
		write(bad)
		if out, err := signing(t, dir, []string{"COSIGN_KEY=k"}, "provenance", "checksums.txt", "b"); err == nil || !strings.Contains(out, "isn't a list of digests") {
			t.Errorf("%q: %v: %s", bad, err, out)
		}
	}
}

// Both images of a tag are pushed, and signed by the digests that the registry has. The
// registry's password is in no argument.
func TestPushImages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	calls := standIn(t, dir, 0)
	log := filepath.Join(dir, "log")
	// It writes a digest for each name, as buildah does once the registry has the image.
	builder := `#!/bin/sh
printf '%s\n' "$*" >>` + log + `
[ "$1" != login ] || cat >>` + log + `
while [ $# -gt 0 ]; do
	[ "$1" != --digestfile ] || printf 'sha256:%064d' "$(echo "$3" | wc -c)" >"$2"
	shift
done
`
	if err := os.WriteFile(filepath.Join(dir, "buildah"), []byte(builder), 0o755); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	const name, password = "registry.example.com/group/artifetch", "registry-password"
	out, err := script(t, harness.Root, []string{
		"PATH=" + dir + ":" + os.Getenv("PATH"), "HOME=" + dir, "VERSION=v1.2.3", "IMAGE=" + name, "SIGSTORE_ID_TOKEN=token", "COSIGN_KEY=", "COSIGN=cosign", "BUILDAH=buildah", "DOCKER_CONFIG=" + dir,
		"CI_REGISTRY=registry.example.com", "CI_REGISTRY_USER=user", "CI_REGISTRY_PASSWORD=" + password,
	}, "release/push.sh")
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	built := readFile(t, log)
	for _, tag := range []string{":v1.2.3", ":v1.2.3-shell"} {
		digest := fmt.Sprintf("@sha256:%064d ", len(name+tag)+1)
		if !strings.Contains(built, " "+name+tag+" docker://"+name+tag+"\n") || !strings.Contains(calls(), "sign --recursive "+name+digest) {
			t.Errorf("%s: buildah %s, cosign %s", tag, built, calls())
		}
	}
	// login reads it from standard input.
	if strings.Count(built, password) != 1 || !strings.Contains(built, "--password-stdin registry.example.com\n"+password) || strings.Contains(out, password) {
		t.Errorf("the password: %s", built)
	}
}
