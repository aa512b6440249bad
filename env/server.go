package env

import (
	"net/url"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/origin"
)

// gitLabCom is the default server, for users' tokens and anonymous requests.
const gitLabCom = "https://gitlab.com"

const apiPath = "/api/v4"

// server is where requests go.
type server struct {
	api *url.URL // root of the REST API
	// own is true for the server that runs the job. The job's token and project are
	// meaningless on other servers, which must not get the token.
	own bool
	// named is false if no variable sets the server, so it is the default.
	named bool
}

// server finds the root of the REST API: ARTIFETCH_SERVER_URL, else CI_API_V4_URL, which
// includes a relative URL root, else CI_SERVER_URL, else gitlab.com.
func (s *settings) server() (server, error) {
	job, err := s.jobServer()
	inJob := s.APIURL != "" || s.CIServer != ""
	if err != nil || s.ServerURL == "" {
		return server{api: job, own: true, named: inJob}, err
	}
	api, err := parseServer("ARTIFETCH_SERVER_URL", s.ServerURL)
	if err != nil {
		return server{}, err
	}
	return server{api: api, own: !inJob || origin.Same(api, job), named: true}, nil
}

func (s *settings) jobServer() (*url.URL, error) {
	switch {
	case s.APIURL != "":
		return parseServer("CI_API_V4_URL", s.APIURL)
	case s.CIServer != "":
		return parseServer("CI_SERVER_URL", s.CIServer)
	}
	return parseServer("default", gitLabCom)
}

// parseServer accepts the address of an instance or of its API.
func parseServer(name, value string) (*url.URL, error) {
	if !strings.Contains(value, "://") {
		value = "https://" + value
	}
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, &UsageError{Name: name, Reason: "is not an http or https address", Fix: "write it like https://gitlab.example.com"}
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, &UsageError{Name: name, Reason: "contains more than scheme, host and path", Fix: "a token comes from the environment or from ARTIFETCH_TOKEN_FILE, never from an address"}
	}
	u.Path = strings.TrimRight(u.Path, "/")
	if !strings.HasSuffix(u.Path, apiPath) {
		u.Path += apiPath
	}
	u.RawPath = ""
	return u, nil
}
