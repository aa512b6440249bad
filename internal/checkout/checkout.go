// Package checkout finds the project of a Git checkout: from git's remote to a server and
// a project, for commands that people run in the checkout.
//
//	checkout.go  Adopt: a configuration without a project → one with the remote's, or why not
//	address.go   the URL of a remote → host and project
//	git.go       the remotes that git lists
//
// Someone else may have written the files of a checkout, including its configuration. So
// a remote never decides where a credential goes: it only selects a project on the server
// in use, or another server if all requests are anonymous.
package checkout

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"gitlab.com/artifetch/artifetch/env"
)

// ElsewhereError reports a remote on another server than the one in use, which the
// credential belongs to.
type ElsewhereError struct {
	Remote string // its name
	Host   string // where it is
	Server string // the one in use
	Named  bool   // the user or the job has set Server; otherwise it is the default
}

// Error implements error.
func (e *ElsewhereError) Error() string {
	return fmt.Sprintf("the remote %s is on %s, and the server in use is %s", e.Remote, e.Host, e.Server)
}

// Hint says what to do next.
func (*ElsewhereError) Hint() string { return "name the server and the project" }

// UnclearError reports a checkout whose remotes don't identify the project.
type UnclearError struct {
	Remotes []string // their names
	Unread  bool     // the selected remote isn't the address of a project
}

// Error implements error.
func (e *UnclearError) Error() string {
	names := strings.Join(e.Remotes, ", ")
	if e.Unread {
		return fmt.Sprintf("no project: the remote %s of this checkout isn't the address of a project on a server", names)
	}
	return fmt.Sprintf("no project: this checkout has the remotes %s, and none of them is called origin", names)
}

// Hint says what to do next.
func (*UnclearError) Hint() string { return "name the project" }

// Adopt adds the checkout's project to a configuration without a project, and its server
// if the configuration has neither a server nor a credential. If dir isn't in a checkout, or the checkout
// has no remotes, it returns the configuration unchanged. It uses the remote origin, or
// the only one. The error is an [*ElsewhereError] or an [*UnclearError].
func Adopt(ctx context.Context, cfg env.Config, dir string) (env.Config, error) {
	if cfg.Project != "" || cfg.AnyCI {
		return cfg, nil
	}
	all := remotes(ctx, dir)
	if len(all) == 0 {
		return cfg, nil
	}
	name, at, found := meant(all)
	switch {
	case name == "":
		e := &UnclearError{}
		for _, r := range all {
			e.Remotes = append(e.Remotes, r.name)
		}
		return cfg, e
	case !found:
		return cfg, &UnclearError{Remotes: []string{name}, Unread: true}
	}
	project, same := at.Project(cfg.APIURL)
	switch {
	case same:
	case cfg.ServerNamed || cfg.Token.Kind != env.NoToken || cfg.TLS.CertFile != "" || cfg.TLS.KeyFile != "":
		return cfg, &ElsewhereError{Remote: name, Host: at.host(), Server: cfg.APIURL.Host, Named: cfg.ServerNamed}
	default:
		cfg.APIURL, project = at.api(), at.Path
	}
	cfg.Project, cfg.ProjectPath, cfg.Remote = project, project, name
	return cfg, nil
}

// meant returns the remote to use.
func meant(all []remote) (name string, at Address, found bool) {
	for _, r := range all {
		if r.name == "origin" || len(all) == 1 {
			at, found = Parse(r.url)
			return r.name, at, found
		}
	}
	return "", Address{}, false
}

// Project returns the path of the repository's project if it is on the server with this
// API. SSH has its own port, and no relative URL root.
// https://docs.gitlab.com/install/relative_url/
func (a Address) Project(api *url.URL) (string, bool) {
	if !strings.EqualFold(a.Name, api.Hostname()) {
		return "", false
	}
	if a.Scheme == "ssh" {
		return a.Path, true
	}
	if a.Port != api.Port() && !(usual(a.Scheme, a.Port) && usual(api.Scheme, api.Port())) {
		return "", false
	}
	root := strings.Trim(strings.TrimSuffix(api.Path, apiPath), "/")
	if root == "" {
		return a.Path, true
	}
	return strings.CutPrefix(a.Path, root+"/")
}

const apiPath = "/api/v4"

// usual reports whether a port is the scheme's default: a checkout may still use the
// http:// address of a server that has moved to https://.
func usual(scheme, port string) bool {
	return port == "" || port == map[string]string{"http": "80", "https": "443"}[scheme]
}

// api returns the API root of the repository's server.
func (a Address) api() *url.URL {
	scheme := a.Scheme
	if scheme == "ssh" {
		scheme = "https"
	}
	return &url.URL{Scheme: scheme, Host: a.host(), Path: apiPath}
}
