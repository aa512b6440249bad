package checkout

import (
	"net/url"
	"regexp"
	"strings"

	"gitlab.com/artifetch/artifetch/resolve"
)

// Address is the location of a project's repository, without the user and password that a
// URL may contain.
type Address struct {
	Scheme string // http, https or ssh
	Name   string // of the host
	Port   string // empty for the scheme's default, and for ssh
	Path   string // of the project
}

// host returns the host as it appears in the address of its API.
func (a Address) host() string {
	name := a.Name
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	if a.Port != "" {
		name += ":" + a.Port
	}
	return name
}

// Paths of projects, and host names, including IPv6.
// https://docs.gitlab.com/user/reserved_names/
var (
	projectPath = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$`)
	hostName    = regexp.MustCompile(`^([A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$`)
)

// Parse parses the URL of a remote: https://host/path.git, ssh://git@host:port/path.git,
// or git@host:path.git. It returns false for anything else, such as a directory.
// https://git-scm.com/docs/git-clone#_git_urls
func Parse(remote string) (Address, bool) {
	if !strings.Contains(remote, "://") {
		var isSSH bool
		if remote, isSSH = scpLike(remote); !isSSH {
			return Address{}, false
		}
	}
	u, err := url.Parse(remote)
	if err != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
		return Address{}, false
	}
	a := Address{Scheme: u.Scheme, Name: u.Hostname(), Port: u.Port(), Path: resolve.ProjectName(u.EscapedPath())}
	switch a.Scheme {
	case "http", "https":
	case "ssh", "git+ssh", "ssh+git":
		a.Scheme, a.Port = "ssh", ""
		if a.Name == "altssh.gitlab.com" { // SSH on port 443: https://docs.gitlab.com/user/gitlab_com/#alternative-ssh-port
			a.Name = "gitlab.com"
		}
	default:
		return Address{}, false
	}
	return a, hostName.MatchString(a.Name) && projectPath.MatchString(a.Path)
}

// scpLike turns [user@]host:path into a URL. A colon after a slash, or after a single
// letter as on Windows, belongs to a file name.
func scpLike(remote string) (string, bool) {
	var host, path string
	if end := strings.Index(remote, "]:"); end >= 0 && strings.Contains(remote[:end], "[") {
		host, path = remote[:end+1], remote[end+2:]
		if strings.Count(host, ":") == 1 { // a port, and not IPv6
			host = strings.NewReplacer("[", "", "]", "").Replace(host)
		}
	} else {
		host, path, _ = strings.Cut(remote, ":")
	}
	if path == "" || strings.ContainsAny(host, "/\\") || len(host) < 2 {
		return "", false
	}
	return "ssh://" + host + "/" + strings.TrimPrefix(path, "/"), true
}
