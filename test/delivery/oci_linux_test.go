package delivery

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
)

// store is a container registry: https://github.com/opencontainers/distribution-spec
type store struct {
	*httptest.Server

	mu      sync.Mutex
	uploads int
	kinds   map[string]string // media types of manifests, by path
	blobs   map[string][]byte // and manifests, by path
}

func newStore(t *testing.T) *store {
	t.Helper()
	s := &store{kinds: map[string]string{}, blobs: map[string][]byte{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	path := r.URL.Path
	dir := path[:strings.LastIndex(path, "/")+1]
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case path == "/v2/":
	case r.Method == http.MethodPost:
		s.uploads++
		w.Header().Set("Location", fmt.Sprint(dir, "upload", s.uploads))
		w.WriteHeader(http.StatusAccepted)
	case r.Method == http.MethodPatch:
		s.blobs[path] = body
		w.Header().Set("Location", path)
		w.WriteHeader(http.StatusAccepted)
	case r.Method == http.MethodPut && strings.Contains(path, "/uploads/"):
		s.blobs[strings.TrimSuffix(dir, "uploads/")+r.URL.Query().Get("digest")] = slices.Concat(s.blobs[path], body)
		w.WriteHeader(http.StatusCreated)
	case r.Method == http.MethodPut:
		digest := s.put(dir, r.Header.Get("Content-Type"), body)
		s.kinds[path], s.blobs[path] = s.kinds[dir+digest], body
		w.WriteHeader(http.StatusCreated)
	case s.blobs[path] == nil:
		http.NotFound(w, r)
	default:
		w.Header().Set("Content-Type", s.kinds[path])
		w.Header().Set("Docker-Content-Digest", digestOf(s.blobs[path]))
		w.Header().Set("Content-Length", fmt.Sprint(len(s.blobs[path])))
		_, _ = w.Write(s.blobs[path])
	}
}

// put keeps a manifest by its digest.
func (s *store) put(dir, kind string, content []byte) (digest string) {
	digest = digestOf(content)
	s.kinds[dir+digest], s.blobs[dir+digest] = kind, content
	return digest
}

func digestOf(content []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(content)) }

// The real cosign signs a list of images and each that it lists, by their digests, and
// what docs/delivery.md says verifies them.
func TestSignedImages(t *testing.T) {
	t.Parallel()
	needsGoReleaser(t)
	sigstore, store := newSigstore(t), newStore(t)
	const dir = "/v2/group/artifetch/manifests/"
	var entries, digests []string
	for _, arch := range []string{"amd64", "arm64"} {
		config := []byte(`{"architecture": "` + arch + `", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}`)
		store.blobs["/v2/group/artifetch/blobs/"+digestOf(config)] = config
		manifest := fmt.Appendf(nil, `{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": %q, "size": %d}, "layers": []}`, digestOf(config), len(config))
		digests = append(digests, store.put(dir, "application/vnd.oci.image.manifest.v1+json", manifest))
		entries = append(entries, fmt.Sprintf(`{"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": %q, "size": %d, "platform": {"os": "linux", "architecture": %q}}`, digestOf(manifest), len(manifest), arch))
	}
	list := `{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [` + strings.Join(entries, ", ") + `]}`
	digests = append(digests, store.put(dir, "application/vnd.oci.image.index.v1+json", []byte(list)))
	unsigned := store.put(dir, "application/vnd.oci.image.index.v1+json", []byte(list+"\n"))
	name := strings.TrimPrefix(store.URL, "http://") + "/group/artifetch"

	home := t.TempDir()
	sign := func(digest string, env ...string) {
		t.Helper()
		if out, err := signing(t, home, append([]string{"COSIGN=" + os.Getenv("COSIGN"), "HOME=" + home}, env...), "image", name+"@"+digest); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	verify := func(digest string, flags ...string) error {
		cmd := exec.CommandContext(t.Context(), os.Getenv("COSIGN"), append(append([]string{"verify"}, flags...), name+"@"+digest)...)
		cmd.Env = append([]string{"HOME=" + home}, sigstore.env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s %v: %w: %s", digest, flags, err, out)
		}
		return nil
	}
	by := func(tag string) []string {
		return []string{"--certificate-oidc-issuer", "https://gitlab.com", "--certificate-identity", signer + "//.gitlab-ci.yml@refs/tags/" + tag}
	}
	sign(digests[2], append(sigstore.env, "SIGSTORE_ID_TOKEN="+pipelineToken("gitlab.com/artifetch/artifetch", "v1.2.3"))...)
	for _, digest := range digests {
		if err := verify(digest, by("v1.2.3")...); err != nil {
			t.Error(err)
		}
	}
	if verify(digests[2], by("v1.2.4")...) == nil || verify(unsigned, by("v1.2.3")...) == nil {
		t.Error("another tag, or an image that nobody signed, is accepted")
	}
	command(t, home, "env", "COSIGN_PASSWORD=", os.Getenv("COSIGN"), "generate-key-pair")
	sign(unsigned, "COSIGN_PASSWORD=", "COSIGN_KEY=cosign.key")
	if err := verify(unsigned, "--key", home+"/cosign.pub", "--insecure-ignore-tlog"); err != nil {
		t.Error(err)
	}
}
