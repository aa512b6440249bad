// Package checkout finds out which project a Git checkout is of: the remote that git has
// → a server and a project, for commands that are run in it by hand.
//
//	checkout.go  Adopt: a configuration without a project → one with the remote's, or why not
//	address.go   the URL of a remote → host and project
//	git.go       the remotes, as git says them
//
// The files of a checkout may be someone else's, including its configuration. So a remote never
// decides where a credential goes: it only names a project of the server in use, and
// another server only if nothing would be sent there but anonymous requests.
package checkout

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"gitlab.com/artifetch/artifetch/env"
)

// ElsewhereError reports a remote that is on another server than the one in use, where
// the credential belongs.
type ElsewhereError struct {
	Remote string // its name
	Host   string // where it is
	Server string // the one in use
	Named  bool   // the user or the job has named Server; else it is the default
}

// Error implements error.
func (e *ElsewhereError) Error() string {
	return fmt.Sprintf("the remote %s is on %s, and the server in use is %s", e.Remote, e.Host, e.Server)
}

// Hint says what to do next.
func (*ElsewhereError) Hint() string { return "name the server and the project" }

// UnclearError reports a checkout whose remotes don't tell which project is meant.
type UnclearError struct {
	Remotes []string // their names
	Unread  bool     // the one that counts isn't the address of a project
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

// Adopt adds the project of the checkout at dir to a configuration that has none, and its
// server, if none is named and there is no credential. It returns the configuration as it
// is if there is no checkout, or it has no remotes. The remote that is meant is origin, else
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

// meant returns the remote that counts.
func meant(all []remote) (name string, at Address, found bool) {
	for _, r := range all {
		if r.name == "origin" || len(all) == 1 {
			at, found = Parse(r.url)
			return r.name, at, found
		}
	}
	return "", Address{}, false
}

// Project returns the path of the repository's project if it is on the server whose API
// is at api. SSH has a port of its own, and knows nothing of a relative URL root.
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

// usual reports whether a port is the scheme's own: a checkout may still have http:// of a
// server that has moved to https://.
func usual(scheme, port string) bool {
	return port == "" || port == map[string]string{"http": "80", "https": "443"}[scheme]
}

// api is the root of the API of the server that the repository is on.
func (a Address) api() *url.URL {
	scheme := a.Scheme
	if scheme == "ssh" {
		scheme = "https"
	}
	return &url.URL{Scheme: scheme, Host: a.host(), Path: apiPath}
}
