package env

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sethvargo/go-envconfig"
)

// TokenKind says how a token is presented to GitLab.
type TokenKind string

// The kinds of token, and the two words of --token-type that are none.
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
	Source string    // variable or file, for the log
}

// tokenSource is one place where a token may be. kind is what its name says;
// a value that looks like another kind wins over it while --token-type is auto.
type tokenSource struct {
	name string
	kind TokenKind
	read func() (Secret, error) // a zero Secret means: not here
}

// token takes the first token of the kind that was asked for. own tells
// whether the server is the one that runs the job.
func (s *settings) token(l envconfig.Lookuper, own bool) (Token, error) {
	want := TokenKind(s.TokenType)
	switch want {
	case autoToken, JobToken, PrivateToken, BearerToken:
	case NoToken:
		return Token{Kind: NoToken}, nil
	default:
		return Token{}, &UsageError{Name: "--token-type", Reason: "is none of auto, job, private, bearer, none", Fix: "leave it out, and the kind is found out"}
	}
	for _, source := range s.tokenSources(own) {
		if !source.serves(want) {
			continue
		}
		value, err := source.read()
		if err != nil {
			return Token{}, err
		}
		if !value.IsZero() {
			return source.token(value, want)
		}
	}
	return noToken(l, want, own)
}

// tokenSources lists the places in order. A file named on the command line
// comes first, then what a person set up, then what GitLab set up.
func (s *settings) tokenSources(own bool) []tokenSource {
	mounted := func(name string, kind TokenKind) tokenSource {
		path := filepath.Join(s.SecretsDir, name)
		return tokenSource{path, kind, func() (Secret, error) { return readOptional(path) }}
	}
	held := func(name string, kind TokenKind, value Secret) tokenSource {
		return tokenSource{name, kind, func() (Secret, error) { return value, nil }}
	}
	file := func(name string, kind TokenKind, path string) tokenSource {
		return tokenSource{name, kind, func() (Secret, error) { return readNamed(name, path) }}
	}
	sources := []tokenSource{
		file("--token-file", autoToken, s.TokenFile),
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

// serves reports whether the source can hold a token of the kind. A file may
// hold any; GITLAB_TOKEN holds a private or a bearer token, and only the user
// knows which.
func (t tokenSource) serves(want TokenKind) bool {
	if want == autoToken || t.kind == autoToken {
		return true
	}
	return (t.kind == JobToken) == (want == JobToken)
}

func (t tokenSource) token(value Secret, want TokenKind) (Token, error) {
	if ref, found := Unexpanded(value.Reveal()); found {
		return Token{}, &UsageError{Name: t.name, Reason: "holds the literal text " + ref + ": it was not expanded", Fix: "write the token itself into it"}
	}
	if strings.ContainsFunc(value.Reveal(), func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return Token{}, &UsageError{Name: t.name, Reason: "holds characters that no token has (spaces, line breaks, other letters)", Fix: "it must hold the token alone"}
	}
	kind := want
	if want == autoToken {
		kind = guessKind(value.Reveal(), t.kind)
	}
	return Token{Value: value, Kind: kind, Source: t.name}, nil
}

// guessKind trusts the prefix that GitLab gives job tokens more than the name
// of the variable: a job token sent as PRIVATE-TOKEN is treated as nobody's.
func guessKind(value string, named TokenKind) TokenKind {
	switch {
	case strings.HasPrefix(value, "glcbt-"):
		return JobToken
	case strings.HasPrefix(value, "glpat-"):
		return PrivateToken
	case named != autoToken:
		return named
	case strings.HasPrefix(value, "eyJ") && strings.Count(value, ".") == 2:
		return JobToken // a JWT: the newer form of job tokens
	}
	return PrivateToken
}

// noToken says why there is none, or that the caller goes on as nobody.
func noToken(l envconfig.Lookuper, want TokenKind, own bool) (Token, error) {
	if want != autoToken {
		return Token{}, &UsageError{Name: "--token-type", Reason: string(want) + ": no such token in the environment", Fix: "set GITLAB_TOKEN or CI_JOB_TOKEN, or give --token-file"}
	}
	if value, set := l.Lookup("CI_JOB_TOKEN"); own && set && strings.TrimSpace(value) == "" {
		return Token{}, &UsageError{Name: "CI_JOB_TOKEN", Reason: "is set but empty", Fix: "unset it, or use --token-type none to go without a token"}
	}
	return Token{Kind: NoToken}, nil
}

// readNamed reads a file that the user named: it must be there and hold a
// token.
func readNamed(name, path string) (Secret, error) {
	if path == "" {
		return Secret{}, nil
	}
	value, err := readFile(path)
	switch {
	case err != nil:
		return Secret{}, &UsageError{Name: name, Reason: "cannot be read: " + err.Error(), Fix: "check the path"}
	case value.IsZero():
		return Secret{}, &UsageError{Name: name, Reason: "names an empty file: " + path, Fix: "write the token into it"}
	}
	return value, nil
}

// readOptional reads a file that is used when it is there, such as the secret
// of a Dockerfile's RUN --mount=type=secret.
func readOptional(path string) (Secret, error) {
	value, err := readFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Secret{}, nil
	case err != nil:
		return Secret{}, &UsageError{Name: path, Reason: "cannot be read: " + err.Error(), Fix: "give another token, or mend the secret's mode"}
	case value.IsZero():
		return Secret{}, &UsageError{Name: path, Reason: "is empty", Fix: "check the secret that is mounted there"}
	}
	return value, nil
}

func readFile(path string) (Secret, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return Secret{}, err
	}
	return NewSecret(strings.TrimSpace(string(content))), nil
}
