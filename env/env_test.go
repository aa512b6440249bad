package env_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sethvargo/go-envconfig"

	"gitlab.com/artifetch/artifetch/env"
)

// job is the environment of a job as a runner sets it up.
func job(overrides ...string) map[string]string {
	vars := map[string]string{
		"GITLAB_CI":             "true",
		"CI_API_V4_URL":         "https://gitlab.example.com/api/v4",
		"CI_SERVER_URL":         "https://gitlab.example.com",
		"CI_JOB_TOKEN":          "glcbt-abc",
		"CI_PROJECT_ID":         "7",
		"CI_PROJECT_PATH":       "group/app",
		"CI_PROJECT_DIR":        "/builds/group/app",
		"CI_COMMIT_REF_NAME":    "main",
		"CI_PIPELINE_ID":        "5000000000",
		"CI_SERVER_VERSION":     "18.5.1-ee",
		"ARTIFETCH_SECRETS_DIR": "/nonexistent",
	}
	for i := 0; i < len(overrides); i += 2 {
		vars[overrides[i]] = overrides[i+1]
	}
	return vars
}

func without(vars map[string]string, names ...string) map[string]string {
	for _, name := range names {
		delete(vars, name)
	}
	return vars
}

func load(t *testing.T, vars map[string]string) (env.Config, error) {
	t.Helper()
	return env.Load(t.Context(), envconfig.MapLookuper(vars))
}

func TestLoadJob(t *testing.T) {
	t.Parallel()
	c, err := load(t, job())
	if err != nil {
		t.Fatal(err)
	}
	type facts struct {
		API, Token, Source, Project, Path, Dir, Ref, Version string
		Kind                                                 env.TokenKind
		Pipeline                                             int64
		InCI                                                 bool
	}
	got := facts{c.APIURL.String(), c.Token.Value.Reveal(), c.Token.Source, c.Project, c.ProjectPath, c.Dir, c.Ref, c.ServerVersion, c.Token.Kind, c.PipelineID, c.InCI}
	want := facts{
		"https://gitlab.example.com/api/v4", "glcbt-abc", "CI_JOB_TOKEN", "7", "group/app", "/builds/group/app", "main",
		"18.5.1-ee", env.JobToken, 5_000_000_000, true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAPIURL(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		vars map[string]string
		want string
	}{
		{"nothing set", nil, "https://gitlab.com/api/v4"},
		{"server alone", map[string]string{"CI_SERVER_URL": "https://git.example.com:8443/"}, "https://git.example.com:8443/api/v4"},
		{"relative root", map[string]string{"CI_API_V4_URL": "https://example.com/gitlab/api/v4/"}, "https://example.com/gitlab/api/v4"},
		{"line break", map[string]string{"CI_API_V4_URL": "https://example.com/api/v4\r\n"}, "https://example.com/api/v4"},
		{"empty API address", map[string]string{"CI_API_V4_URL": "", "CI_SERVER_URL": "http://[::1]:80"}, "http://[::1]:80/api/v4"},
		{"flag before CI", map[string]string{"ARTIFETCH_SERVER_URL": "git.example.com", "CI_API_V4_URL": "https://other/api/v4"}, "https://git.example.com/api/v4"},
		{"flag with API path", map[string]string{"ARTIFETCH_SERVER_URL": "https://git.example.com/api/v4"}, "https://git.example.com/api/v4"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := load(t, tt.vars)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.APIURL.String(); got != tt.want {
				t.Errorf("APIURL = %s, want %s", got, tt.want)
			}
		})
	}
}

// A job's own token, project and ref mean nothing to another server, and the
// token must not travel there.
func TestOtherServerGetsNothingOfTheJob(t *testing.T) {
	t.Parallel()
	c, err := load(t, job("ARTIFETCH_SERVER_URL", "https://evil.example.com"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Token.Kind != env.NoToken || !c.Token.Value.IsZero() {
		t.Errorf("token = %v from %s, want none", c.Token.Kind, c.Token.Source)
	}
	if c.Project != "" || c.Ref != "" || c.PipelineID != 0 || c.ServerVersion != "" {
		t.Errorf("project %q, ref %q, pipeline %d, version %q: want none", c.Project, c.Ref, c.PipelineID, c.ServerVersion)
	}
	same, err := load(t, job("ARTIFETCH_SERVER_URL", "https://GitLab.example.com:443"))
	if err != nil || same.Token.Kind != env.JobToken || same.Project != "7" {
		t.Errorf("the job's own server spelt differently: token %v, project %q, %v", same.Token.Kind, same.Project, err)
	}
}

// net/http reads the proxies' passwords; messages never show them.
func TestProxyPasswords(t *testing.T) {
	t.Parallel()
	c, err := load(t, job("HTTP_PROXY", "http://ci:one%2B1@p:3128", "https_proxy", "ci:two-2@p:3128", "HTTPS_PROXY", "socks5://p:1080"))
	var got []string
	for _, p := range c.ProxyPasswords {
		got = append(got, p.Reveal())
	}
	if diff := cmp.Diff([]string{"one+1", "two-2"}, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

// The ref of a merge request pipeline depends on its type; the variable with a ref is
// always that of the source branch.
func TestRefOfAMergeRequestPipeline(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ path, event, want string }{
		{"refs/merge-requests/7/head", "", "refs/merge-requests/7/head"},
		{"refs/merge-requests/7/head", "detached", "refs/merge-requests/7/head"},
		{"refs/merge-requests/7/head", "merged_result", "refs/merge-requests/7/merge"},
		{"refs/merge-requests/7/head", "merge_train", "refs/merge-requests/7/train"},
		{"refs/merge-requests/7/head", "a new type", "refs/merge-requests/7/head"},
		{"refs/merge-requests/7/merge", "merge_train", "refs/merge-requests/7/merge"}, // should GitLab tell the right one
		{"", "merged_result", "main"},
	} {
		c, err := load(t, job("CI_MERGE_REQUEST_REF_PATH", tt.path, "CI_MERGE_REQUEST_EVENT_TYPE", tt.event))
		if err != nil || c.Ref != tt.want {
			t.Errorf("%+v: %q, %v", tt, c.Ref, err)
		}
	}
}

// What triggered a pipeline is known on its own server only.
func TestUpstream(t *testing.T) {
	t.Parallel()
	vars := job("CI_PIPELINE_SOURCE", "parent_pipeline", "CI_UPSTREAM_PIPELINE_ID", "5000000001", "CI_UPSTREAM_PROJECT_ID", "8")
	c, err := load(t, vars)
	if err != nil || c.PipelineSource != "parent_pipeline" || c.UpstreamPipeline != 5_000_000_001 || c.UpstreamProject != "8" {
		t.Errorf("%+v, %v", c, err)
	}
	vars["ARTIFETCH_SERVER_URL"], vars["GITLAB_TOKEN"] = "https://other.example.com", "glpat-x"
	if c, err := load(t, vars); err != nil || c.PipelineSource != "" || c.UpstreamPipeline != 0 || c.UpstreamProject != "" {
		t.Errorf("on another server: %+v, %v", c, err)
	}
}

// What isn't the number of a job or pipeline isn't GitLab's, and no reason to refuse a command
// that doesn't need it.
func TestIDsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"CI_PIPELINE_ID", "CI_JOB_ID", "CI_UPSTREAM_PIPELINE_ID"} {
		for _, value := range []string{"abc", "-1", "0", "1.5", " 7", "../../x", "99999999999999999999"} {
			c, err := load(t, job("CI_PIPELINE_ID", "7", "CI_JOB_ID", "8", "CI_UPSTREAM_PIPELINE_ID", "9", name, value))
			if err != nil || c.PipelineID*c.JobID*c.UpstreamPipeline != 0 || c.PipelineID+c.JobID+c.UpstreamPipeline == 0 {
				t.Errorf("%s=%q: %d, %d, %d, %v", name, value, c.PipelineID, c.JobID, c.UpstreamPipeline, err)
			}
		}
	}
	if c, err := load(t, job("CI_PROJECT_ID", "group/app", "CI_UPSTREAM_PROJECT_ID", "group/up", "CI_MERGE_REQUEST_PROJECT_ID", "group/mr")); err != nil || c.Project != "group/app" || c.UpstreamProject != "group/up" || c.BaseProject != "group/mr" {
		t.Errorf("paths: %+v, %v", c, err)
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file := write("token", "from-file\n")
	jobFile := write("job-token", "glcbt-file\r\n")
	jwt := write("jwt", "eyJhbGciOi.eyJzdWIi.c2ln")
	corporate := write("corporate", "mycorp-glcbt-64_x")
	mounted := filepath.Dir(write("secrets/CI_JOB_TOKEN", "glcbt-mounted"))
	both := filepath.Dir(write("both/CI_JOB_TOKEN", "glcbt-mounted"))
	write("both/GITLAB_TOKEN", "glpat-mounted")

	tests := []struct {
		name      string
		vars      map[string]string
		wantToken string
		wantKind  env.TokenKind
	}{
		{"job", job(), "glcbt-abc", env.JobToken},
		{"GITLAB_TOKEN before CI_JOB_TOKEN", job("GITLAB_TOKEN", "x"), "x", env.PrivateToken},
		{"job asked for", job("GITLAB_TOKEN", "x", "ARTIFETCH_TOKEN_TYPE", "job"), "glcbt-abc", env.JobToken},
		{"bearer", job("GITLAB_TOKEN", "x", "ARTIFETCH_TOKEN_TYPE", "bearer"), "x", env.BearerToken},
		{"none", job("ARTIFETCH_TOKEN_TYPE", "none"), "", env.NoToken},
		{"nothing at all", map[string]string{"ARTIFETCH_SECRETS_DIR": "/nonexistent"}, "", env.NoToken},
		{"file first", job("GITLAB_TOKEN", "x", "ARTIFETCH_TOKEN_FILE", file), "from-file", env.PrivateToken},
		{"job token file", job("CI_JOB_TOKEN", "", "CI_JOB_TOKEN_FILE", jobFile), "glcbt-file", env.JobToken},
		{"file of a JWT", job("ARTIFETCH_TOKEN_FILE", jwt), "eyJhbGciOi.eyJzdWIi.c2ln", env.JobToken},
		{"file of a job token with the instance's prefix", job("ARTIFETCH_TOKEN_FILE", corporate), "mycorp-glcbt-64_x", env.JobToken},
		{"a user's token with the instance's prefix", job("GITLAB_TOKEN", "my_corp-1-glpat-x-glcbt-y"), "my_corp-1-glpat-x-glcbt-y", env.PrivateToken},
		{"mounted secret", map[string]string{"ARTIFETCH_SECRETS_DIR": mounted, "CI_SERVER_URL": "https://gitlab.example.com"}, "glcbt-mounted", env.JobToken},
		{"mounted GITLAB_TOKEN first", map[string]string{"ARTIFETCH_SECRETS_DIR": both}, "glpat-mounted", env.PrivateToken},
		{"a job token in GITLAB_TOKEN", job("GITLAB_TOKEN", "glcbt-x"), "glcbt-x", env.JobToken},
		{"a JWT in GITLAB_TOKEN", job("GITLAB_TOKEN", "eyJhbGciOi.eyJzdWIi.c2ln"), "eyJhbGciOi.eyJzdWIi.c2ln", env.JobToken},
		{"CI_JOB_TOKEN in GITLAB_TOKEN, without a prefix", job("GITLAB_TOKEN", "64_old", "CI_JOB_TOKEN", "64_old"), "64_old", env.JobToken},
		{"line break at the end", job("CI_JOB_TOKEN", "glcbt-abc\n"), "glcbt-abc", env.JobToken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := load(t, tt.vars)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Token.Value.Reveal(); got != tt.wantToken || c.Token.Kind != tt.wantKind {
				t.Errorf("token = %q (%s), want %q (%s)", got, c.Token.Kind, tt.wantToken, tt.wantKind)
			}
		})
	}
}

// The default server is for users' tokens: a job token goes to the server that is
// named, or nowhere, however it comes and whatever it is called.
func TestJobTokenNeedsAServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"plain": "64_abc", "glcbt": "glcbt-abc", "corporate": "mycorp-glcbt-abc", "jwt": "eyJhbGciOi.eyJzdWIi.c2ln",
		"job/CI_JOB_TOKEN": "64_mounted", "user/GITLAB_TOKEN": "glcbt-mounted",
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	file := func(name string) string { return filepath.Join(dir, name) }
	for source, vars := range map[string]map[string]string{
		"CI_JOB_TOKEN":             {"CI_JOB_TOKEN": "64_abc"},
		"CI_JOB_TOKEN in a job":    {"CI_JOB_TOKEN": "64_abc", "GITLAB_CI": "true", "CI_PROJECT_ID": "7"},
		"CI_JOB_TOKEN_FILE":        {"CI_JOB_TOKEN_FILE": file("plain")},
		"mounted":                  {"ARTIFETCH_SECRETS_DIR": file("job")},
		"mounted as GITLAB_TOKEN":  {"ARTIFETCH_SECRETS_DIR": file("user")},
		"file by its prefix":       {"ARTIFETCH_TOKEN_FILE": file("glcbt")},
		"file by a longer prefix":  {"ARTIFETCH_TOKEN_FILE": file("corporate")},
		"file of a JWT":            {"ARTIFETCH_TOKEN_FILE": file("jwt")},
		"file by --token-type":     {"ARTIFETCH_TOKEN_FILE": file("plain"), "ARTIFETCH_TOKEN_TYPE": "job"},
		"file, called private":     {"ARTIFETCH_TOKEN_FILE": file("glcbt"), "ARTIFETCH_TOKEN_TYPE": "private"},
		"GITLAB_TOKEN":             {"GITLAB_TOKEN": "glcbt-abc"},
		"GITLAB_TOKEN as bearer":   {"GITLAB_TOKEN": "glcbt-abc", "ARTIFETCH_TOKEN_TYPE": "bearer"},
		"GITLAB_TOKEN, both equal": {"GITLAB_TOKEN": "64_abc", "CI_JOB_TOKEN": "64_abc"},
	} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			if vars["ARTIFETCH_SECRETS_DIR"] == "" {
				vars["ARTIFETCH_SECRETS_DIR"] = "/nonexistent"
			}
			c, err := load(t, vars)
			if !errors.Is(err, env.ErrUsage) || !strings.Contains(err.Error(), "holds a job token") || !c.Token.Value.IsZero() {
				t.Errorf("without a server: %v, token from %q", err, c.Token.Source)
			}
			for _, name := range []string{"CI_API_V4_URL", "CI_SERVER_URL", "ARTIFETCH_SERVER_URL"} {
				vars[name] = "https://gitlab.example.com"
				if c, err := load(t, vars); err != nil || c.Token.Value.IsZero() || c.APIURL.Host != "gitlab.example.com" {
					t.Errorf("with %s: %v", name, err)
				}
				delete(vars, name)
			}
			vars["ARTIFETCH_TOKEN_TYPE"] = "none"
			if c, err := load(t, vars); err != nil || !c.Token.Value.IsZero() {
				t.Errorf("without a token: %v", err)
			}
		})
	}
	for name, vars := range map[string]map[string]string{
		"GITLAB_TOKEN": {"GITLAB_TOKEN": "glpat-x"}, "a bearer": {"GITLAB_TOKEN": "x", "ARTIFETCH_TOKEN_TYPE": "bearer"}, "a file": {"ARTIFETCH_TOKEN_FILE": file("plain")},
	} {
		vars["ARTIFETCH_SECRETS_DIR"] = "/nonexistent"
		if c, err := load(t, vars); err != nil || c.APIURL.Host != "gitlab.com" {
			t.Errorf("a user's token, %s: %v", name, err)
		}
	}
	for name, vars := range map[string]map[string]string{
		"by its prefix": job("GITLAB_TOKEN", "glcbt-x"), "by its value": job("GITLAB_TOKEN", "64_old", "CI_JOB_TOKEN", "64_old"), "mounted": job("ARTIFETCH_SECRETS_DIR", file("user")),
	} {
		vars["ARTIFETCH_SERVER_URL"] = "https://elsewhere.example.com"
		if c, err := load(t, vars); !errors.Is(err, env.ErrUsage) || !c.Token.Value.IsZero() {
			t.Errorf("a job token in GITLAB_TOKEN, %s, for another server than the job's: %v", name, err)
		}
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name     string
		vars     map[string]string
		wantText string // what the user must be told
	}{
		{"unexpanded", job("CI_JOB_TOKEN", "$CI_JOB_TOKEN"), "CI_JOB_TOKEN holds the literal text $CI_JOB_TOKEN"},
		{"unexpanded braces", job("CI_PROJECT_ID", "${CI_PROJECT_ID}"), "CI_PROJECT_ID holds the literal text"},
		{"unexpanded percent", job("CI_JOB_TOKEN", "%CI_JOB_TOKEN%"), "literal text %CI_JOB_TOKEN%"},
		{"empty token", job("CI_JOB_TOKEN", ""), "CI_JOB_TOKEN is set but empty"},
		{"token with a space", job("CI_JOB_TOKEN", "JOB-TOKEN: abc"), "characters that tokens don't have"},
		{"token in quotes", job("CI_JOB_TOKEN", `"glcbt-x"`), "has quotes around the token"},
		{"token in single quotes", job("GITLAB_TOKEN", "'glpat-x'"), "has quotes around the token"},
		{"path of a token", job("GITLAB_TOKEN", "/run/secrets/tok"), "holds a path, not a token"},
		{"no file", job("ARTIFETCH_TOKEN_FILE", "/nonexistent/t"), "ARTIFETCH_TOKEN_FILE cannot be read"},
		{"empty file", job("ARTIFETCH_TOKEN_FILE", empty), "names an empty file"},
		{"kind", job("ARTIFETCH_TOKEN_TYPE", "oauth"), "must be auto, job"},
		{"kind not there", without(job("ARTIFETCH_TOKEN_TYPE", "job"), "CI_JOB_TOKEN"), "no such token in the environment"},
		{"address without host", job("CI_API_V4_URL", "https://"), "CI_API_V4_URL is not an http or https address"},
		{"other scheme", job("ARTIFETCH_SERVER_URL", "ftp://x"), "ARTIFETCH_SERVER_URL is not an http or https address"},
		{"token in the address", job("ARTIFETCH_SERVER_URL", "https://u:secret@x"), "contains more than scheme, host and path"},
		{"proxy", job("HTTPS_PROXY", "ci:secret%zz@p:3128"), "HTTPS_PROXY is not the address of a proxy"},
		{"scheme of a proxy", job("http_proxy", "ftp://ci:secret@p"), "http_proxy is not the address of a proxy"},
		{"proxy without a host", job("HTTP_PROXY", "http://"), "HTTP_PROXY is not the address of a proxy"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := load(t, tt.vars)
			if !errors.Is(err, env.ErrUsage) {
				t.Fatalf("error = %v, want a usage error", err)
			}
			if !strings.Contains(err.Error(), tt.wantText) {
				t.Errorf("error = %q, want it to say %q", err, tt.wantText)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("error %q shows a secret", err)
			}
		})
	}
}

func TestSecretNeverPrints(t *testing.T) {
	t.Parallel()
	secret := env.NewSecret("hunter2")
	hidden := struct{ s env.Secret }{secret}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%p"} {
		_, _ = fmt.Fprintf(&out, verb, secret)
		_, _ = fmt.Fprintf(&out, verb, &secret)
		_, _ = fmt.Fprintf(&out, verb, hidden)
		_, _ = fmt.Fprintf(&out, verb, env.Config{Token: env.Token{Value: secret}})
	}
	_, _ = fmt.Fprint(&out, secret, fmt.Errorf("x: %v", secret))
	encoded, err := json.Marshal(map[string]any{"a": secret, "b": &secret, "c": env.Token{Value: secret}})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(encoded)
	for _, leak := range []string{"hunter2", "68756e74657232", "68756E74657232", "104 117"} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("printed %q:\n%s", leak, out.String())
		}
	}
	if !strings.Contains(string(encoded), `"a":"[REDACTED]"`) {
		t.Errorf("JSON = %s", encoded)
	}
}
