package doctor

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/transport"
	"gitlab.com/artifetch/artifetch/resolve"
)

// subject is a run against a server with a token.
func subject(t *testing.T, s *gitlabtest.Running, kind env.TokenKind, token string) Subject {
	t.Helper()
	api, err := url.Parse(s.APIURL)
	if err != nil {
		t.Fatal(err)
	}
	header := map[env.TokenKind]string{env.JobToken: "JOB-TOKEN", env.PrivateToken: "PRIVATE-TOKEN", env.BearerToken: "Authorization"}[kind]
	if kind == env.BearerToken {
		token = "Bearer " + token
	}
	clients := transport.New(transport.Options{API: api, Header: header, Token: token, Retry: transport.Policy{Retries: -1}})
	client := gitlab.New(api, clients.Whole, clients.Stream)
	return Subject{
		Config:   env.Config{APIURL: api, Token: env.Token{Kind: kind, Source: "a test"}},
		API:      client,
		Resolver: resolve.New(resolve.Options{API: client, JobToken: kind == env.JobToken}),
		Project:  "1", Dir: t.TempDir(), Size: func(n int64) string { return strconv.FormatInt(n, 10) },
	}
}

// states are the checks with how they ended, in order.
func states(findings []Finding) string {
	var all []string
	for _, f := range findings {
		text := f.Check + "=" + string(f.State)
		if f.Problem != "" {
			text += "(" + string(f.Problem) + ")"
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

// What is found depends on the server's version, its licence and the token. A check that
// fails ends those that depend on it, and no others.
func TestExamine(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		options gitlabtest.Options
		kind    env.TokenKind
		token   string
		change  func(*Subject)
		want    string
	}{
		{"all is well", gitlabtest.Options{Version: "19.4"}, env.PrivateToken, gitlabtest.PrivateToken, nil,
			"environment=ok workspace=ok links=ok cache=skipped proxy=ok server=ok tls=limited clock=ok token=ok scopes=ok jobs=ok pipelines=ok artifacts=ok storage=ok version=ok"},
		{"storage", gitlabtest.Options{Mode: gitlabtest.ModeRedirect}, env.PrivateToken, gitlabtest.PrivateToken, nil,
			"environment=ok workspace=ok links=ok cache=skipped proxy=ok server=ok tls=limited clock=ok token=ok scopes=ok jobs=ok pipelines=ok artifacts=ok storage=ok version=ok"},
		{"storage that can't be reached", gitlabtest.Options{Mode: gitlabtest.ModeRedirect, StorageDown: "refused", DownloadModes: []string{"direct", "proxy"}}, env.PrivateToken, gitlabtest.PrivateToken, nil,
			"environment=ok workspace=ok links=ok cache=skipped proxy=ok server=ok tls=limited clock=ok token=ok scopes=ok jobs=ok pipelines=ok artifacts=ok storage=limited version=ok"},
		{"and no other way", gitlabtest.Options{Mode: gitlabtest.ModeRedirect, StorageDown: "no-name"}, env.PrivateToken, gitlabtest.PrivateToken, nil,
			"environment=ok workspace=ok links=ok cache=skipped proxy=ok server=ok tls=limited clock=ok token=ok scopes=ok jobs=ok pipelines=ok artifacts=ok storage=failed version=ok"},
		{"an old server", gitlabtest.Options{Version: "17.0"}, env.PrivateToken, gitlabtest.PrivateToken, nil,
			"environment=ok workspace=ok links=ok cache=skipped proxy=ok server=ok tls=limited clock=ok token=ok scopes=ok jobs=ok pipelines=ok artifacts=ok storage=ok version=limited"},
		{"no token", gitlabtest.Options{}, env.NoToken, "", nil,
			"environment=ok workspace=ok links=ok cache=skipped proxy=ok server=ok tls=limited clock=ok token=limited(no token) jobs=limited pipelines=failed"},
		{"a token that was revoked", gitlabtest.Options{}, env.PrivateToken, "glpat-revoked", nil,
			"environment=ok workspace=ok links=ok cache=skipped proxy=ok server=ok tls=limited clock=ok token=failed"},
		{"no project", gitlabtest.Options{Version: "19.4"}, env.PrivateToken, gitlabtest.PrivateToken, func(s *Subject) { s.Project = "" },
			"environment=ok workspace=ok links=ok cache=skipped proxy=ok server=ok tls=limited clock=ok token=ok scopes=ok jobs=limited(no project) version=ok"},
		{"a project that isn't there", gitlabtest.Options{Version: "19.4"}, env.PrivateToken, gitlabtest.PrivateToken, func(s *Subject) { s.Project = "g/none" },
			"environment=ok workspace=ok links=ok cache=skipped proxy=ok server=ok tls=limited clock=ok token=ok scopes=ok jobs=failed version=ok"},
		{"a directory that can't be", gitlabtest.Options{Version: "19.4"}, env.PrivateToken, gitlabtest.PrivateToken, func(s *Subject) { s.Dir = filepath.Join("doctor.go", "none") },
			"environment=ok workspace=failed(closed dir) cache=skipped proxy=ok server=ok tls=limited clock=ok token=ok scopes=ok jobs=ok pipelines=ok artifacts=ok storage=ok version=ok"},
		{"a directory that isn't there yet, and a cache", gitlabtest.Options{Version: "19.4"}, env.PrivateToken, gitlabtest.PrivateToken, func(s *Subject) {
			s.Dir, s.CacheDir = filepath.Join(s.Dir, "a", "b"), filepath.Join(s.Dir, "cache")
		},
			"environment=ok workspace=ok links=ok cache=ok proxy=ok server=ok tls=limited clock=ok token=ok scopes=ok jobs=ok pipelines=ok artifacts=ok storage=ok version=ok"},
		{"a cache that can't be", gitlabtest.Options{Version: "19.4"}, env.PrivateToken, gitlabtest.PrivateToken, func(s *Subject) { s.CacheDir = "doctor.go" },
			"environment=ok workspace=ok links=ok cache=failed(closed cache) proxy=ok server=ok tls=limited clock=ok token=ok scopes=ok jobs=ok pipelines=ok artifacts=ok storage=ok version=ok"},
		{"an instance before /metadata", gitlabtest.Options{Version: "15.0"}, env.PrivateToken, gitlabtest.PrivateToken, nil,
			"environment=ok workspace=ok links=ok cache=skipped proxy=ok server=ok tls=limited clock=ok token=ok jobs=ok pipelines=ok artifacts=ok storage=ok version=limited"},
		{"a gateway that closes /metadata", gitlabtest.Options{Faults: []gitlabtest.Fault{{Kind: "404", On: "/metadata"}}}, env.PrivateToken, gitlabtest.PrivateToken, nil,
			"environment=ok workspace=ok links=ok cache=skipped proxy=ok server=ok tls=limited clock=ok token=ok scopes=ok jobs=ok pipelines=ok artifacts=ok storage=ok version=ok"},
		{"and /version", gitlabtest.Options{Faults: []gitlabtest.Fault{{Kind: "404", On: "/metadata"}, {Kind: "404", On: "/version"}}}, env.PrivateToken, gitlabtest.PrivateToken, nil,
			"environment=ok workspace=ok links=ok cache=skipped proxy=ok server=ok tls=limited clock=ok token=ok scopes=ok jobs=ok pipelines=ok artifacts=ok storage=ok"},
		{"and the list of projects", gitlabtest.Options{Faults: []gitlabtest.Fault{{Kind: "404", On: "/metadata"}, {Kind: "404", On: "/version"}, {Kind: "404", On: "/projects"}}}, env.PrivateToken, gitlabtest.PrivateToken, nil,
			"environment=ok workspace=ok links=ok cache=skipped proxy=ok server=failed(not GitLab)"},
		{"a token without the scope", gitlabtest.Options{}, env.PrivateToken, gitlabtest.NarrowToken, nil,
			"environment=ok workspace=ok links=ok cache=skipped proxy=ok server=ok tls=limited clock=ok token=ok scopes=limited jobs=limited pipelines=limited artifacts=failed"},
		{"a fine-grained token without artifacts", gitlabtest.Options{}, env.PrivateToken, gitlabtest.GranularToken, nil,
			"environment=ok workspace=ok links=ok cache=skipped proxy=ok server=ok tls=limited clock=ok token=ok scopes=ok jobs=ok pipelines=limited artifacts=failed"},
		{"an OAuth token", gitlabtest.Options{}, env.BearerToken, gitlabtest.BearerToken, nil,
			"environment=ok workspace=ok links=ok cache=skipped proxy=ok server=ok tls=limited clock=ok token=ok jobs=ok pipelines=ok artifacts=ok storage=ok version=ok"},
		{"another server than the job's", gitlabtest.Options{Version: "19.4"}, env.PrivateToken, gitlabtest.PrivateToken, func(s *Subject) { s.Config.InCI = true },
			"environment=limited(other server) workspace=ok links=ok cache=skipped proxy=ok server=ok tls=limited clock=ok token=ok scopes=ok jobs=ok pipelines=ok artifacts=ok storage=ok version=ok"},
		{"a server without the licence", gitlabtest.Options{Version: "19.4", Unlicensed: true}, env.JobToken, gitlabtest.JobToken, func(s *Subject) { s.Config.Project, s.Config.JobID = "1", 1001 },
			"environment=ok workspace=ok links=ok cache=skipped proxy=ok server=ok tls=limited clock=ok token=ok jobs=ok pipelines=ok licence=limited(no licence)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := gitlabtest.Start(gitlabtest.Fixture(), tt.options)
			defer s.Close()
			examined := subject(t, s, tt.kind, tt.token)
			if tt.change != nil {
				tt.change(&examined)
			}
			findings := Examine(t.Context(), examined)
			if got := states(findings); got != tt.want {
				t.Errorf("found: %s\nwant:  %s", got, tt.want)
			}
			for _, f := range findings {
				if (f.State == Failed) != (f.Err != nil) || (f.State == OK || f.State == Skipped) && f.Remedy != "" || (f.State == Limited || f.State == Failed) && f.Remedy == "" && f.Problem == "" && f.Err == nil {
					t.Errorf("%+v", f)
				}
			}
		})
	}
}

// What answers is told from what doesn't.
func TestServerProblems(t *testing.T) {
	t.Parallel()
	s := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{Faults: []gitlabtest.Fault{{Kind: "503", Times: 9}}})
	examined := subject(t, s, env.PrivateToken, gitlabtest.PrivateToken)
	last := func() Finding { findings := Examine(t.Context(), examined); return findings[len(findings)-1] }
	if f := last(); f.Check != "server" || f.Problem != "" || f.Remedy != later {
		t.Errorf("trouble: %+v", f)
	}
	s.Close()
	if f := last(); f.Check != "server" || f.Problem != Unreachable || f.Err == nil {
		t.Errorf("no server: %+v", f)
	}
}

// A certificate is limited in its last two weeks; the text tells whose and until when.
func TestTLS(t *testing.T) {
	t.Parallel()
	for days, want := range map[int]State{90: OK, 15: OK, 13: Limited, -1: Limited} {
		d := &doctor{}
		d.tls(t.Context(), &tls.ConnectionState{Version: tls.VersionTLS13, PeerCertificates: []*x509.Certificate{{
			DNSNames: []string{"gitlab.example.com"}, Issuer: pkix.Name{CommonName: "an authority"}, NotAfter: time.Now().Add(time.Duration(days)*24*time.Hour + time.Hour),
		}}})
		f := d.findings[0]
		if f.State != want || !strings.Contains(f.Text, "TLS 1.3; certificate of gitlab.example.com until") || !strings.Contains(f.Text, "by an authority") {
			t.Errorf("%d days: %+v", days, f)
		}
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	for skew, want := range map[time.Duration]State{0: OK, time.Minute: OK, 3 * time.Minute: Limited, -3 * time.Minute: Limited} {
		d := &doctor{}
		d.clock(time.Now().Add(-skew))
		if d.findings[0].State != want {
			t.Errorf("%v: %+v", skew, d.findings)
		}
	}
	d := &doctor{}
	if d.clock(time.Time{}); d.findings[0].State != Skipped {
		t.Errorf("an answer without a date: %+v", d.findings)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	for version, missing := range map[string]int{"17.0": 5, "18.5.1-ee": 4, "18.8": 3, "18.10": 2, "19.1.2": 2, "19.2": 1, "19.4.0-pre": 0, "20.0": 0} {
		d := &doctor{}
		d.Config.Token.Kind = env.JobToken
		d.version(version)
		if f := d.findings[0]; f.Remedy != "" && strings.Count(f.Remedy, ";")+1 != missing || (f.State == OK) != (missing == 0) {
			t.Errorf("%s: %+v, want %d missing", version, f, missing)
		}
	}
	d := &doctor{}
	if d.version("unknown"); len(d.findings) != 0 {
		t.Errorf("%+v", d.findings)
	}
}

// A redirect that isn't followed doesn't count as unreachable storage: the error itself
// says what to do.
func TestStorageBehindWrongRedirect(t *testing.T) {
	t.Parallel()
	s := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{Mode: gitlabtest.ModeRedirect})
	defer s.Close()
	s.SetStorageURL("ftp://storage.example.com")
	for _, f := range Examine(t.Context(), subject(t, s, env.PrivateToken, gitlabtest.PrivateToken)) {
		if f.Check == "storage" && (f.State != Failed || !transport.Misdirected(f.Err) || f.Remedy != "" || strings.Contains(f.Err.Error(), "cannot be reached")) {
			t.Errorf("%+v", f)
		}
	}
}
