//go:build realstores

package realstores

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// store is a server that has the archive.
type store struct {
	address string
	// put stores the archive, in place of the one before.
	put func(t *testing.T, archive []byte)
	// sign returns an address of the archive that is valid until a time. The program knows
	// the store by host, and must not use another method.
	sign func(method, host string, until time.Time) string

	timeless bool // it doesn't check when an address ends
	weak     bool // it sends no strong ETags
	noRanges bool
}

// front is the simulated GitLab, which redirects to a store.
type front struct {
	*gitlabtest.Server
	url   string
	store store
	relay *relay
	life  func(redirect int) time.Duration // how long the address of the nth redirect is valid

	mu        sync.Mutex
	redirects int
	secrets   []string
}

// ServeHTTP implements [http.Handler]: a redirect to the simulated storage becomes one to
// the store.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	recorder := httptest.NewRecorder()
	f.Server.ServeHTTP(recorder, r)
	for name, values := range recorder.Header() {
		w.Header()[name] = values
	}
	if recorder.Code/100 == 3 {
		w.Header().Set("Location", f.address(r.Method))
	}
	w.WriteHeader(recorder.Code)
	_, _ = w.Write(recorder.Body.Bytes()) // the program may have hung up
}

func (f *front) address(method string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.redirects++
	address := f.store.sign(method, f.relay.address, time.Now().Add(f.life(f.redirects)))
	u, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	for key, values := range u.Query() {
		if strings.HasSuffix(strings.ToLower(key), "sig") || strings.HasSuffix(key, "Signature") {
			f.secrets = append(f.secrets, values...)
		}
	}
	return address
}

// run runs the program as a job does, and returns its exit code and what it printed. None
// of that, and nothing that the store received, may be secret.
func (f *front) run(t *testing.T, ws string, args ...string) (code int, out string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "artifetch", append([]string{"fetch", "-v", "--job-id", "1001"}, args...)...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + ws, "TMPDIR=" + os.TempDir(), "GITLAB_CI=true", "NO_COLOR=1",
		"CI_API_V4_URL=" + f.url + "/api/v4", "CI_SERVER_URL=" + f.url, "CI_PROJECT_ID=1", "CI_PROJECT_PATH=group/app", "CI_PROJECT_DIR=" + ws,
		"CI_COMMIT_REF_NAME=main", "CI_DEFAULT_BRANCH=main", "CI_JOB_TOKEN=" + gitlabtest.JobToken, "ARTIFETCH_SECRETS_DIR=" + ws + "/none",
	}
	printed, err := cmd.CombinedOutput()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		code = failed.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	sent, _ := f.relay.seen()
	for _, token := range harness.Secrets() {
		if strings.Contains(sent, token) {
			t.Errorf("the store received %q", token)
		}
	}
	for _, secret := range append(harness.Secrets(), f.secrets...) {
		if strings.Contains(string(printed), secret) || strings.Contains(string(printed), url.QueryEscape(secret)) {
			t.Errorf("%q was printed:\n%s", secret, printed)
		}
	}
	return code, string(printed)
}
