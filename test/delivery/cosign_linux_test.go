package delivery

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// signed is a release that release/sign.sh signed, by the real cosign.
type signed struct {
	dir    string
	files  map[string]string // as they are served
	env    []string          // of cosign, when it verifies
	verify []string          // its flags
}

const signer = "https://gitlab.com/artifetch/artifetch"

// newSigned signs a release, as the pipeline of a tag or with a key.
func newSigned(t *testing.T, env []string, identity ...string) *signed {
	t.Helper()
	s := &signed{dir: t.TempDir(), files: newShelf(t, nil).files, env: env, verify: identity}
	s.files["checksums.txt"] = fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(s.files[installArchive])), installArchive)
	if err := os.WriteFile(filepath.Join(s.dir, "checksums.txt"), []byte(s.files["checksums.txt"]), 0o600); err != nil {
		t.Fatal(err)
	}
	env = append([]string{"COSIGN=" + os.Getenv("COSIGN"), "HOME=" + s.dir}, env...)
	for what, bundle := range map[string]string{"checksums": "checksums.txt.sigstore.json", "provenance": "provenance.json"} {
		if out, err := signing(t, s.dir, env, what, "checksums.txt", bundle); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		s.files[bundle] = readFile(t, filepath.Join(s.dir, bundle))
	}
	return s
}

// cosign verifies as docs/delivery.md says.
func (s *signed) cosign(t *testing.T, what, file string, flags ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Getenv("COSIGN"), append(append([]string{what, "--new-bundle-format"}, append(flags, s.verify...)...), file)...)
	cmd.Dir, cmd.Env = s.dir, append([]string{"HOME=" + s.dir}, s.env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// The real cosign signs a release without a key, as the pipeline of a tag, and with one;
// the installer and the commands of docs/delivery.md accept it, and nothing else:
// Sigstore is simulated.
func TestCosign(t *testing.T) {
	t.Parallel()
	needsGoReleaser(t)
	store := newSigstore(t)
	byPipeline := func(project, ref string) []string {
		return append([]string{"SIGSTORE_ID_TOKEN=" + pipelineToken(project, ref)}, store.env...)
	}
	const identity = signer + "//.gitlab-ci.yml@refs/tags/v1.2.3"
	flags := []string{"--certificate-identity", identity, "--certificate-oidc-issuer", "https://gitlab.com"}
	keyless := newSigned(t, byPipeline("gitlab.com/artifetch/artifetch", "v1.2.3"), flags...)
	keys := t.TempDir()
	for _, dir := range []string{keys, keys + "/other"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		command(t, dir, "env", "COSIGN_PASSWORD=", os.Getenv("COSIGN"), "generate-key-pair")
	}
	byKey := newSigned(t, []string{"COSIGN_PASSWORD=", "COSIGN_KEY=" + keys + "/cosign.key"}, "--key", keys+"/cosign.pub", "--insecure-ignore-tlog", "--trusted-root", emptyRoot(t))
	for name, s := range map[string]*signed{"keyless": keyless, "key": byKey} {
		t.Run(name, func(t *testing.T) { t.Parallel(); s.check(t) })
	}
	otherTag := newSigned(t, byPipeline("gitlab.com/artifetch/artifetch", "v1.2.2"))
	otherProject := newSigned(t, byPipeline("gitlab.com/somebody/artifetch", "v1.2.3"))
	for _, tt := range []struct {
		name string
		from *signed
		env  []string
		want int
	}{
		{"keyless", keyless, store.env, 0},
		{"another tag", otherTag, store.env, 7},
		{"another project", otherProject, store.env, 7},
		{"that project", otherProject, append([]string{"ARTIFETCH_SIGNER=https://gitlab.com/somebody/artifetch"}, store.env...), 0},
		{"another Sigstore", keyless, newSigstore(t).env, 7},
		{"key", byKey, []string{"ARTIFETCH_SIGNER_KEY=" + keys + "/cosign.pub"}, 0},
		{"another key", byKey, []string{"ARTIFETCH_SIGNER_KEY=" + keys + "/other/cosign.pub"}, 7},
		{"key instead of pipeline", byKey, store.env, 7},
		{"pipeline instead of key", keyless, []string{"ARTIFETCH_SIGNER_KEY=" + keys + "/cosign.pub"}, 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			installSigned(t, tt.from.files, tt.env, tt.want, "")
		})
	}
	archive := keyless.files[installArchive] + "x"
	for _, tt := range []struct {
		name  string
		files map[string]string
		says  string
	}{
		{"archive", map[string]string{installArchive: archive}, "but checksums.txt says"},
		{"archive and checksums", map[string]string{
			installArchive: archive, "checksums.txt": fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(archive)), installArchive),
		}, "isn't signed by " + signer},
		{"signature", map[string]string{"checksums.txt.sigstore.json": keyless.files["provenance.json"]}, "isn't signed by " + signer},
		{"empty signature", map[string]string{"checksums.txt.sigstore.json": ""}, "isn't signed by " + signer},
	} {
		t.Run("tampered "+tt.name, func(t *testing.T) {
			t.Parallel()
			files := maps.Clone(keyless.files)
			maps.Copy(files, tt.files)
			installSigned(t, files, store.env, 7, tt.says)
		})
	}
}

// check verifies by hand what is signed, and what isn't.
func (s *signed) check(t *testing.T) {
	t.Helper()
	for name, content := range map[string]string{installArchive: s.files[installArchive], "other": "other"} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		what, file string
		flags      []string
		good       bool
	}{
		{"verify-blob", "checksums.txt", []string{"--bundle", "checksums.txt.sigstore.json"}, true},
		{"verify-blob", "other", []string{"--bundle", "checksums.txt.sigstore.json"}, false},
		{"verify-blob-attestation", installArchive, []string{"--type", "slsaprovenance1", "--bundle", "provenance.json"}, true},
		{"verify-blob-attestation", "other", []string{"--type", "slsaprovenance1", "--bundle", "provenance.json"}, false},
	} {
		if out, err := s.cosign(t, tt.what, tt.file, tt.flags...); (err == nil) != tt.good {
			t.Errorf("%s %s: %v: %s", tt.what, tt.file, err, out)
		}
	}
}

// installSigned runs the installer with the real cosign.
func installSigned(t *testing.T, files map[string]string, env []string, want int, says string) {
	t.Helper()
	shelf := newShelf(t, nil)
	shelf.files = files
	i := newInstaller(t, "dash", "curl", "sha256sum")
	if err := os.Symlink(os.Getenv("COSIGN"), filepath.Join(i.tools, "cosign")); err != nil {
		t.Fatal(err)
	}
	i.env = append(i.env, env...)
	code, out := i.run(t, shelf.URL+"/release")
	if code != want || !strings.Contains(out, says) {
		t.Errorf("code %d, want %d, %q: %s", code, want, says, out)
	}
	if want == 0 {
		i.holds(t, newProgram)
	} else {
		i.holds(t, oldProgram)
	}
}

// emptyRoot is a file with what cosign trusts beside the key: nothing, without asking
// the network.
func emptyRoot(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "root.json")
	if err := os.WriteFile(path, []byte(`{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
