package doctor

import (
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// said returns all that is said about a token on a server.
func said(t *testing.T, o gitlabtest.Options, w *gitlabtest.World, kind env.TokenKind, token string) string {
	t.Helper()
	s := gitlabtest.Start(w, o)
	defer s.Close()
	var b strings.Builder
	for _, f := range Examine(t.Context(), subject(t, s, kind, token)) {
		text := f.Text
		if f.Err != nil {
			text = f.Err.Error()
		}
		b.WriteString(f.Check + ": " + text + " → " + f.Remedy + "\n")
	}
	return b.String()
}

// Remarks about job tokens are for those who have one.
func TestNoWordOfJobTokens(t *testing.T) {
	t.Parallel()
	for version, tokens := range map[string]map[string]env.TokenKind{
		"17.0": {gitlabtest.PrivateToken: env.PrivateToken, gitlabtest.NarrowToken: env.PrivateToken, gitlabtest.GranularToken: env.PrivateToken, gitlabtest.BearerToken: env.BearerToken, "": env.NoToken},
		"19.4": {gitlabtest.PrivateToken: env.PrivateToken, "": env.NoToken},
	} {
		for token, kind := range tokens {
			if text := said(t, gitlabtest.Options{Version: version}, gitlabtest.Fixture(), kind, token); strings.Contains(strings.ToLower(text), "job token") {
				t.Errorf("%s, %s:\n%s", version, kind, text)
			}
		}
	}
	if text := said(t, gitlabtest.Options{Version: "17.0"}, gitlabtest.Fixture(), env.JobToken, gitlabtest.JobToken); !strings.Contains(text, "job tokens may list jobs since GitLab 18.5") {
		t.Error(text)
	}
}

// The scopes, the permissions and the end of a token are named one by one.
func TestWordsAboutTokens(t *testing.T) {
	t.Parallel()
	soon, far := time.Now().Add(48*time.Hour).Format(time.DateOnly), time.Now().Add(1000*time.Hour).Format(time.DateOnly)
	for _, tt := range []struct {
		token string
		with  gitlabtest.Token
		want  []string
	}{
		{"glpat-api", gitlabtest.Token{Expires: far}, []string{"token: private token from a test: alive, \"fixture\", expires on " + far + " → \n", "scopes: api: "}},
		{"glpat-read", gitlabtest.Token{Scopes: []string{"read_user", "read_api"}, Expires: soon}, []string{"expires on " + soon + " → create a new one", "scopes: read_api: ", "needs the scope api"}},
		{"glpat-none", gitlabtest.Token{Scopes: []string{"read_user"}}, []string{"expires never", "scopes: neither read_api nor api, but read_user → use a token with the scope read_api", "jobs: may not be listed (403) → the token lacks a scope"}},
		{"glpat-fine", gitlabtest.Token{Permissions: []string{"Job: Read", "Job Artifact: Read"}}, []string{
			"server: ", "scopes: fine-grained", "jobs: Job: Read: may be listed", "pipelines: may not be listed (403) → the token lacks the permission Pipeline: Read", "artifacts: Job Artifact: Read: may be read",
		}},
		{"glpat-list", gitlabtest.Token{Permissions: []string{"Job: Read", "Pipeline: Read"}}, []string{"pipelines: Pipeline: Read: may be listed", "artifacts: GitLab answers 403", "[Job Artifact: Read]"}},
	} {
		w := gitlabtest.Fixture()
		tt.with.Value, tt.with.Kind, tt.with.Roles = tt.token, gitlabtest.KindPrivate, w.Token(gitlabtest.PrivateToken).Roles
		w.Tokens = append(w.Tokens, &tt.with)
		text := said(t, gitlabtest.Options{}, w, env.PrivateToken, tt.token)
		for _, want := range tt.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", tt.token, want, text)
			}
		}
	}
}

// Where files will go shows how much of them, and that links may be among them.
func TestPlace(t *testing.T) {
	t.Parallel()
	d := &doctor{Subject: Subject{Dir: t.TempDir() + "/new", Size: func(int64) string { return "many bytes" }}}
	d.workspace()
	if f := d.findings[0]; !strings.Contains(f.Text, "new, which will be created, many bytes free") {
		t.Errorf("%+v", f)
	}
	if f := d.findings[1]; f.Check != "links" || f.State != OK {
		t.Errorf("%+v", f)
	}
	d.findings = nil
	if d.links(d.Dir + "/none"); d.findings[0].State != Limited {
		t.Errorf("links that can't be made: %+v", d.findings)
	}
}

func TestSum(t *testing.T) {
	t.Parallel()
	for want, findings := range map[string][]Finding{
		"artifetch can work here: nothing is wrong.":                        {{Check: "tls", State: OK}, {Check: "cache", State: Skipped}},
		"artifetch can work here, within limits: tls, version.":             {{Check: "tls", State: Limited}, {Check: "jobs", State: OK}, {Check: "version", State: Limited}},
		"artifetch cannot work here until this is fixed: token, artifacts.": {{Check: "tls", State: Limited}, {Check: "token", State: Failed}, {Check: "artifacts", State: Failed}},
	} {
		if got := Sum(findings); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
