package env

import (
	"context"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/sethvargo/go-envconfig"
)

// TokenKind says how to send a token to GitLab.
type TokenKind string

// The kinds of token. ARTIFETCH_TOKEN_TYPE also accepts auto.
const (
	JobToken     TokenKind = "job"     // header JOB-TOKEN
	PrivateToken TokenKind = "private" // header PRIVATE-TOKEN: personal, project and group access tokens
	BearerToken  TokenKind = "bearer"  // header Authorization: OAuth tokens
	NoToken      TokenKind = "none"    // anonymous
	autoToken    TokenKind = "auto"
)

// Token is a credential and where it came from.
type Token struct {
	Value  Secret
	Kind   TokenKind // never empty, never "auto"
	Source string    // variable or file, for the log; for NoToken, what asked for it
	Own    bool      // the running job's token, which GitLab accepts only as long as the job runs
	Unread string    // without a token: a variable that seems to hold one, but isn't read
}

// tokenSource is a place where a token may be. kind is what its name says; while
// ARTIFETCH_TOKEN_TYPE is auto, a value that looks like another kind overrides it.
type tokenSource struct {
	name string
	kind TokenKind
	read func(ctx context.Context) (Secret, error) // a zero Secret means: not here
}

// token returns the first token of the wanted kind.
func (s *settings) token(ctx context.Context, l envconfig.Lookuper, at server) (Token, error) {
	want := TokenKind(s.TokenType)
	switch want {
	case autoToken, JobToken, PrivateToken, BearerToken:
	case NoToken:
		return Token{Kind: NoToken, Source: tokenType}, nil
	default:
		return Token{}, &UsageError{Name: tokenType, Reason: "must be auto, job, private, bearer or none", Fix: "leave it out to detect the kind"}
	}
	for _, source := range s.tokenSources(at.own) {
		if !source.serves(want) {
			continue
		}
		value, err := source.read(ctx)
		if err != nil {
			return Token{}, err
		}
		if value.IsZero() {
			continue
		}
		t, err := source.token(value, want, s.isJobToken(value), value.Reveal() == s.JobToken.Reveal())
		if err != nil {
			return Token{}, err
		}
		return t, s.mayGo(t, at)
	}
	return noToken(l, want, at.own)
}

// mayGo refuses to send a job token to a server that it doesn't belong to. The default
// server gets a user's token but never a job token, which belongs to the instance that
// runs the job.
func (s *settings) mayGo(t Token, at server) error {
	isJob := t.Kind == JobToken || s.isJobToken(t.Value)
	switch {
	case isJob && !at.named:
		return &UsageError{
			Name: t.Source, Reason: "holds a job token, but neither CI_API_V4_URL nor CI_SERVER_URL says which server it belongs to",
			Fix: "pass CI_API_V4_URL on, in a Dockerfile by ARG CI_API_V4_URL and --build-arg CI_API_V4_URL, or use ARTIFETCH_SERVER_URL",
		}
	case isJob && !at.own && t.Source != tokenFile:
		return &UsageError{
			Name: t.Source, Reason: "holds a job token, but ARTIFETCH_SERVER_URL names another server than the job's",
			Fix: "set a token of that server, or use ARTIFETCH_TOKEN_TYPE=none",
		}
	}
	return nil
}

// The program's own variables for tokens.
const (
	tokenFile = "ARTIFETCH_TOKEN_FILE"
	tokenType = "ARTIFETCH_TOKEN_TYPE"
)

// tokenSources returns the places in order: a file that the user names, then the user's
// variables, then GitLab's.
func (s *settings) tokenSources(own bool) []tokenSource {
	mounted := func(name string, kind TokenKind) tokenSource {
		path := filepath.Join(s.SecretsDir, name)
		return tokenSource{path, kind, func(ctx context.Context) (Secret, error) { return readOptional(ctx, path) }}
	}
	held := func(name string, kind TokenKind, value Secret) tokenSource {
		return tokenSource{name, kind, func(context.Context) (Secret, error) { return value, nil }}
	}
	file := func(name string, kind TokenKind, path string) tokenSource {
		return tokenSource{name, kind, func(ctx context.Context) (Secret, error) { return readNamed(ctx, name, path) }}
	}
	sources := []tokenSource{
		file(tokenFile, autoToken, s.TokenFile),
		held("GITLAB_TOKEN", PrivateToken, s.GitLabToken),
	}
	if own {
		sources = append(sources, held("CI_JOB_TOKEN", JobToken, s.JobToken), file("CI_JOB_TOKEN_FILE", JobToken, s.JobTokenFile))
	}
	sources = append(sources, mounted("GITLAB_TOKEN", PrivateToken))
	if own {
		sources = append(sources, mounted("CI_JOB_TOKEN", JobToken))
	}
	return sources
}

// serves reports whether the source can contain a token of the kind. A file may contain
// any; GITLAB_TOKEN is a private or a bearer token, and only the user knows which.
func (t tokenSource) serves(want TokenKind) bool {
	if want == autoToken || t.kind == autoToken {
		return true
	}
	return (t.kind == JobToken) == (want == JobToken)
}

func (t tokenSource) token(value Secret, want TokenKind, isJob, isOwn bool) (Token, error) {
	if ref, found := Unexpanded(value.Reveal()); found {
		return Token{}, &UsageError{Name: t.name, Reason: "holds the literal text " + ref + ": it was not expanded", Fix: "write the token itself into it"}
	}
	switch first := value.Reveal()[0]; first {
	case '"', '\'':
		return Token{}, &UsageError{Name: t.name, Reason: "has quotes around the token, as part of its value", Fix: "write the token without them: files of variables, such as Docker's, keep quotes"}
	case '/', '~':
		return Token{}, &UsageError{Name: t.name, Reason: "holds a path, not a token", Fix: "name the file with ARTIFETCH_TOKEN_FILE"}
	}
	if strings.ContainsFunc(value.Reveal(), func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return Token{}, &UsageError{Name: t.name, Reason: "contains characters that tokens don't have (spaces, line breaks, non-ASCII letters)", Fix: "it must contain only the token"}
	}
	kind := want
	if want == autoToken {
		kind = guessKind(value.Reveal(), t.kind, isJob)
	}
	return Token{Value: value, Kind: kind, Source: t.name, Own: isOwn && kind == JobToken}, nil
}

// prefixed matches the prefix of GitLab's tokens. An instance may add its own prefix, as
// in mycorp-glcbt-….
// https://docs.gitlab.com/administration/settings/account_and_limit_settings/#instance-token-prefix
var prefixed = regexp.MustCompile(`^(?:[0-9A-Za-z_-]+?-)?(glcbt|glpat)-`)

// isJobToken reports whether a value can only be a job token, whatever its variable or
// file is called: because of its prefix, because it is a JWT (users' tokens aren't), or
// because it equals CI_JOB_TOKEN.
func (s *settings) isJobToken(value Secret) bool {
	text := value.Reveal()
	if m := prefixed.FindStringSubmatch(text); m != nil {
		return m[1] == "glcbt"
	}
	return strings.HasPrefix(text, "eyJ") && strings.Count(text, ".") == 2 || text == s.JobToken.Reveal()
}

// guessKind trusts a token's form more than the name of its variable: GitLab treats a job
// token in the PRIVATE-TOKEN header as anonymous.
func guessKind(value string, named TokenKind, isJob bool) TokenKind {
	switch {
	case isJob:
		return JobToken
	case prefixed.MatchString(value), named == autoToken:
		return PrivateToken
	}
	return named
}

// noToken returns the error for a missing token, or a Token for anonymous requests.
func noToken(l envconfig.Lookuper, want TokenKind, own bool) (Token, error) {
	if want != autoToken {
		return Token{}, &UsageError{Name: tokenType, Reason: string(want) + ": no such token in the environment", Fix: "set GITLAB_TOKEN or CI_JOB_TOKEN, or ARTIFETCH_TOKEN_FILE"}
	}
	if value, set := l.Lookup("CI_JOB_TOKEN"); own && set && strings.TrimSpace(value) == "" {
		return Token{}, &UsageError{Name: "CI_JOB_TOKEN", Reason: "is set but empty", Fix: "unset it, or use ARTIFETCH_TOKEN_TYPE=none to go without a token"}
	}
	missing := Token{Kind: NoToken}
	for _, name := range []string{"PRIVATE_TOKEN", "GITLAB_PRIVATE_TOKEN", "GITLAB_ACCESS_TOKEN", "GITLAB_API_TOKEN", "GL_TOKEN", "ARTIFETCH_TOKEN"} {
		if value, _ := l.Lookup(name); strings.TrimSpace(value) != "" {
			missing.Unread = name
			break
		}
	}
	return missing, nil
}
