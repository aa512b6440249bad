// Package env reads the environment of a GitLab CI/CD job, a Dockerfile stage or a
// terminal. It is the only place that knows the names of the CI_* variables.
//
// go-envconfig fills settings, one field for each variable. server.go finds the API's
// address, token.go and tokenfile.go the token, proxy.go the passwords of proxies; Load
// puts them into a Config. values.go rejects values that weren't expanded, secret.go
// keeps tokens out of messages.
//
// The program's own variables (ARTIFETCH_*) come before GITLAB_TOKEN, that before CI_*,
// and defaults are last. A caller puts its flags in front with an [envconfig.Lookuper]
// that returns them under their ARTIFETCH_* names.
//
// Meaning of the variables:
// https://docs.gitlab.com/ci/variables/predefined_variables/
package env

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/sethvargo/go-envconfig"
)

// ErrUsage matches all errors: values that the user must fix.
var ErrUsage = errors.New("configuration")

// UsageError names the wrong variable and says what to do about it.
type UsageError struct {
	Name   string // of the variable, or a file's path
	Reason string // what is wrong with it; never its value
	Fix    string // what to do
}

// Error implements error.
func (e *UsageError) Error() string { return e.Name + " " + e.Reason }

// Hint says what to do next.
func (e *UsageError) Hint() string { return e.Fix }

// Is makes every UsageError an [ErrUsage].
func (e *UsageError) Is(target error) bool { return target == ErrUsage }

// Config is what the environment says. A field's zero value means that it says nothing
// about it.
type Config struct {
	APIURL      *url.URL // root of the REST API, without a trailing slash; never nil
	ServerNamed bool     // a variable sets the server; otherwise it is the default
	Token       Token    // the credential in use
	TLS         TLS

	Headers        []Header // for a gateway in front of GitLab
	ProxyPasswords []Secret // in the addresses of proxies, which net/http reads itself

	Project       string // numeric ID of the job's project; for a checkout, its full path
	ProjectPath   string // its full path
	Remote        string // the checkout's remote with the project; empty for a job's
	Dir           string // the job's workspace
	Ref           string // the ref that the job's own pipeline runs for
	DefaultBranch string // of the job's project
	SHA           string // commit of the job's pipeline
	PipelineID    int64
	BaseSHA       string // of its merge request: the commit that the changes are compared with
	BaseProject   string // numeric ID of its merge request's project
	JobID         int64
	ServerVersion string // of GitLab, such as "18.5.1-ee"

	PipelineSource   string // what started the job's pipeline: push, parent_pipeline, …
	UpstreamPipeline int64  // the pipeline that triggered it; GitLab sets it since 18.9
	UpstreamProject  string // numeric ID of that pipeline's project

	InCI  bool // runs in a GitLab CI job
	AnyCI bool // runs in a job of any CI
	Debug bool // CI_DEBUG_TRACE: the user wants to see more
	Dumb  bool // the terminal can't move its cursor
}

// TLS has the names of PEM files, which may be empty.
type TLS struct {
	CAFile   string // certificates to trust in addition to the system's
	CertFile string // client certificate, for GitLab only
	KeyFile  string // its key
}

// settings is the raw environment, one field for each variable.
type settings struct {
	ServerURL string `env:"ARTIFETCH_SERVER_URL"`
	APIURL    string `env:"CI_API_V4_URL"`
	CIServer  string `env:"CI_SERVER_URL"`

	TokenFile    string `env:"ARTIFETCH_TOKEN_FILE"`
	TokenType    string `env:"ARTIFETCH_TOKEN_TYPE, default=auto"`
	GitLabToken  Secret `env:"GITLAB_TOKEN"`
	JobToken     Secret `env:"CI_JOB_TOKEN"`
	JobTokenFile string `env:"CI_JOB_TOKEN_FILE"`
	SecretsDir   string `env:"ARTIFETCH_SECRETS_DIR, default=/run/secrets"`

	HeaderFile string `env:"ARTIFETCH_HEADER_FILE"`
	Headers    Secret `env:"ARTIFETCH_HEADERS"`

	CAFile     string `env:"ARTIFETCH_CA_FILE"`
	CertFile   string `env:"ARTIFETCH_CERT_FILE"`
	KeyFile    string `env:"ARTIFETCH_KEY_FILE"`
	CICAFile   string `env:"CI_SERVER_TLS_CA_FILE"`
	CICertFile string `env:"CI_SERVER_TLS_CERT_FILE"`
	CIKeyFile  string `env:"CI_SERVER_TLS_KEY_FILE"`

	HTTPProxy       Secret `env:"HTTP_PROXY"`
	HTTPProxyLower  Secret `env:"http_proxy"`
	HTTPSProxy      Secret `env:"HTTPS_PROXY"`
	HTTPSProxyLower Secret `env:"https_proxy"`

	Project       string `env:"CI_PROJECT_ID"`
	ProjectPath   string `env:"CI_PROJECT_PATH"`
	ProjectDir    string `env:"CI_PROJECT_DIR"`
	MRRefPath     string `env:"CI_MERGE_REQUEST_REF_PATH"`
	MREventType   string `env:"CI_MERGE_REQUEST_EVENT_TYPE"`
	MRBase        string `env:"CI_MERGE_REQUEST_DIFF_BASE_SHA"`
	MRProject     string `env:"CI_MERGE_REQUEST_PROJECT_ID"`
	RefName       string `env:"CI_COMMIT_REF_NAME"`
	DefaultBranch string `env:"CI_DEFAULT_BRANCH"`
	SHA           string `env:"CI_COMMIT_SHA"`
	PipelineID    int64  `env:"CI_PIPELINE_ID"`
	JobID         int64  `env:"CI_JOB_ID"`
	ServerVersion string `env:"CI_SERVER_VERSION"`

	PipelineSource   string `env:"CI_PIPELINE_SOURCE"`
	UpstreamPipeline int64  `env:"CI_UPSTREAM_PIPELINE_ID"`
	UpstreamProject  string `env:"CI_UPSTREAM_PROJECT_ID"`

	InCI       bool   `env:"GITLAB_CI"`
	AnyCI      string `env:"CI"`
	DebugTrace string `env:"CI_DEBUG_TRACE"`
	Term       string `env:"TERM"`
}

// Load reads the environment through l. It reads token files, and no other files. Its
// errors are [ErrUsage].
func Load(ctx context.Context, l envconfig.Lookuper) (Config, error) {
	clean := &cleaned{from: l}
	var s settings
	if err := envconfig.ProcessWith(ctx, &envconfig.Config{Target: &s, Lookuper: clean}); err != nil {
		return Config{}, fmt.Errorf("%w: reading the environment: %w", ErrUsage, err)
	}
	if clean.err != nil {
		return Config{}, clean.err
	}
	at, err := s.server()
	if err != nil {
		return Config{}, err
	}
	token, err := s.token(ctx, l, at)
	if err != nil {
		return Config{}, err
	}
	headers, err := s.headers(ctx, token.Kind, at)
	if err != nil {
		return Config{}, err
	}
	passwords, err := s.proxies()
	if err != nil {
		return Config{}, err
	}
	c := Config{
		APIURL: at.api, ServerNamed: at.named, Token: token, TLS: s.tls(), Headers: headers, ProxyPasswords: passwords,
		Dir: s.ProjectDir, InCI: s.InCI, AnyCI: s.InCI || truthy(s.AnyCI), Debug: truthy(s.DebugTrace), Dumb: s.Term == "dumb",
	}
	if at.own {
		s.identity(&c)
	}
	return c, nil
}

// identity sets the fields that only make sense on the job's own server.
func (s *settings) identity(c *Config) {
	c.Project, c.ProjectPath = s.Project, s.ProjectPath
	c.Ref = firstOf(s.mergeRequestRef(), s.RefName)
	c.DefaultBranch, c.SHA = s.DefaultBranch, s.SHA
	c.PipelineID, c.JobID, c.ServerVersion = s.PipelineID, s.JobID, s.ServerVersion
	c.PipelineSource, c.UpstreamPipeline, c.UpstreamProject = s.PipelineSource, s.UpstreamPipeline, s.UpstreamProject
	c.BaseSHA, c.BaseProject = s.MRBase, s.MRProject
}

// mergeRequestRef returns the ref of a merge request pipeline, or "" for other pipelines.
// CI_MERGE_REQUEST_REF_PATH is always the ref of the source branch's commit,
// refs/merge-requests/7/head, although pipelines for merged results and merge trains have
// their own refs (app/models/merge_request.rb: merge_ref_path, train_ref_path).
func (s *settings) mergeRequestRef() string {
	of, isHead := strings.CutSuffix(s.MRRefPath, "/head")
	switch {
	case isHead && s.MREventType == "merged_result":
		return of + "/merge"
	case isHead && s.MREventType == "merge_train":
		return of + "/train"
	}
	return s.MRRefPath
}

// tls prefers the program's own variables to the runner's. Certificate and key come from
// the same source: a mixed pair wouldn't match.
func (s *settings) tls() TLS {
	t := TLS{CAFile: firstOf(s.CAFile, s.CICAFile), CertFile: s.CertFile, KeyFile: s.KeyFile}
	if t.CertFile == "" && t.KeyFile == "" {
		t.CertFile, t.KeyFile = s.CICertFile, s.CIKeyFile
	}
	return t
}

// Variable returns the variable with a name that a user has given.
func Variable(name string) (string, bool) { return os.LookupEnv(name) }
