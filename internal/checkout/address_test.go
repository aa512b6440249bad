package checkout

import (
	"net/url"
	"testing"
)

// The forms of git-clone(1), as GitLab shows them and as people write them.
func TestParse(t *testing.T) {
	t.Parallel()
	for remote, want := range map[string]Address{
		"https://gitlab.com/group/app.git":                        {"https", "gitlab.com", "", "group/app"},
		"https://gitlab.com/group/sub/app":                        {"https", "gitlab.com", "", "group/sub/app"},
		"https://gitlab.com/group/app/":                           {"https", "gitlab.com", "", "group/app"},
		"https://oauth2:glpat-secret@gitlab.com/group/app.git":    {"https", "gitlab.com", "", "group/app"},
		"https://gitlab-ci-token@git.example:8443/root/g/app.git": {"https", "git.example", "8443", "root/g/app"},
		"http://[::1]:8080/group/app.git":                         {"http", "::1", "8080", "group/app"},
		"HTTPS://GitLab.com/group/app.git":                        {"https", "GitLab.com", "", "group/app"},
		"ssh://git@gitlab.com/group/app.git":                      {"ssh", "gitlab.com", "", "group/app"},
		"ssh://git@git.example:2222/group/sub/app.git":            {"ssh", "git.example", "", "group/sub/app"},
		"git+ssh://git@git.example/group/app":                     {"ssh", "git.example", "", "group/app"},
		"ssh://git@altssh.gitlab.com:443/group/app.git":           {"ssh", "gitlab.com", "", "group/app"},
		"git@gitlab.com:group/app.git":                            {"ssh", "gitlab.com", "", "group/app"},
		"git@gitlab.com:/group/app.git":                           {"ssh", "gitlab.com", "", "group/app"},
		"gitlab.com:group/app.git":                                {"ssh", "gitlab.com", "", "group/app"},
		"git@[git.example:2222]:group/app.git":                    {"ssh", "git.example", "", "group/app"},
		"git@[::1]:group/app.git":                                 {"ssh", "::1", "", "group/app"},
	} {
		if got, ok := Parse(remote); !ok || got != want {
			t.Errorf("%s: %+v, %v", remote, got, ok)
		}
	}
	for _, remote := range []string{
		"", "/srv/app.git", "../app", "./g:p/app", "file:///srv/group/app.git", `C:\group\app`, "C:/group/app", "git://git.example/group/app",
		"https://gitlab.com/app", "https://gitlab.com/", "https:///group/app", "git@gitlab.com:app.git", "git@:group/app", "https://gitlab.com/group/app?x=y",
		"https://gitlab.com/group/../app", "https://gitlab.com/group/%2e%2e/app", "https://gitlab.com/group/a\x1bpp", "https://gitlab.com/group/a b", "git@gitlab.com:-x/app",
		"https://-evil.example/group/app", "ext::sh -c whoami", "https://gitlab.com:x/group/app", "git@gitlab.com:g/p\nhttps://evil.example/g/p",
	} {
		if got, ok := Parse(remote); ok {
			t.Errorf("%q: %+v", remote, got)
		}
	}
}

// A repository is on the server in use if an address of the server's would lead to it. SSH
// has another port, and no relative root.
func TestProjectOnServer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ remote, api, want string }{
		{"https://gitlab.com/group/app.git", "https://gitlab.com/api/v4", "group/app"},
		{"https://GITLAB.com:443/group/app.git", "https://gitlab.com/api/v4", "group/app"},
		{"http://gitlab.com/group/app.git", "https://gitlab.com/api/v4", "group/app"},
		{"git@gitlab.com:group/app.git", "https://gitlab.com/api/v4", "group/app"},
		{"ssh://git@git.example:2222/group/app.git", "https://git.example:8443/api/v4", "group/app"},
		{"https://git.example:8443/group/app.git", "https://git.example:8443/api/v4", "group/app"},
		{"https://git.example/root/group/app.git", "https://git.example/root/api/v4", "group/app"},
		{"git@git.example:group/app.git", "https://git.example/root/api/v4", "group/app"},
		{"http://[::1]:80/group/app", "http://[::1]/api/v4", "group/app"},

		{"https://git.example/group/app.git", "https://git.example/root/api/v4", ""},
		{"https://git.example/rooted/app.git", "https://git.example/root/api/v4", ""},
		{"https://git.example/group/app.git", "https://git.example:8443/api/v4", ""},
		{"https://git.example:8443/group/app.git", "https://git.example/api/v4", ""},
		{"https://gitlab.com.evil.example/group/app.git", "https://gitlab.com/api/v4", ""},
		{"https://gitlab.com@evil.example/group/app.git", "https://gitlab.com/api/v4", ""},
		{"git@evil.example:gitlab.com/app.git", "https://gitlab.com/api/v4", ""},
		{"https://xgitlab.com/group/app.git", "https://gitlab.com/api/v4", ""},
	} {
		at, ok := Parse(tt.remote)
		api, err := url.Parse(tt.api)
		if !ok || err != nil {
			t.Fatal(tt.remote, err)
		}
		got, same := at.Project(api)
		if same != (tt.want != "") || same && got != tt.want {
			t.Errorf("%s on %s: %q, %v", tt.remote, tt.api, got, same)
		}
	}
}
