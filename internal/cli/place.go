package cli

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gitlab.com/artifetch/artifetch/resolve"
)

// place is where files go: --output, in which {job} and the like stand for what
// differs from job to job. All of them are staged in the part above the first
// such word, so that they are committed together.
type place struct{ dir, template string }

// words are what may stand in --output.
var words = []string{"{job}", "{job_slug}", "{pipeline}", "{ref_slug}", "{project}"}

func newPlace(output string) (place, error) {
	parts := strings.Split(filepath.ToSlash(output), "/")
	varies := slices.IndexFunc(parts, func(part string) bool { return strings.ContainsAny(part, "{}") })
	if varies < 0 {
		return place{dir: output}, nil
	}
	template := strings.Join(parts[varies:], "/")
	rest := template
	for _, word := range words {
		rest = strings.ReplaceAll(rest, word, "")
	}
	if strings.ContainsAny(rest, "{}") {
		return place{}, &usageError{"--output has braces around something else than " + strings.Join(words, ", "), "leave them out, or use one of these words"}
	}
	dir := strings.Join(parts[:varies], "/")
	if dir == "" {
		dir = "."
		if strings.HasPrefix(filepath.ToSlash(output), "/") {
			dir = "/"
		}
	}
	return place{filepath.FromSlash(dir), template}, nil
}

// prefixes gives the directory of each artifact below dir.
func (p place) prefixes(artifacts []resolve.Artifact) ([]string, error) {
	prefixes := make([]string, len(artifacts))
	for i, a := range artifacts {
		for _, word := range words {
			if strings.Contains(p.template, word) && value(word, a) == "" {
				return nil, &usageError{fmt.Sprintf("--output: %s is not known of %s", word, a.Label()), "this token may not list jobs; name the directory yourself"}
			}
		}
		prefixes[i] = p.prefix(a)
	}
	return prefixes, nil
}

func (p place) prefix(a resolve.Artifact) string {
	prefix := p.template
	for _, word := range words {
		prefix = strings.ReplaceAll(prefix, word, value(word, a))
	}
	return prefix
}

// of is the directory of an artifact, for messages.
func (p place) of(a resolve.Artifact) string {
	if p.template == "" {
		return p.dir
	}
	return path.Join(filepath.ToSlash(p.dir), p.prefix(a))
}

func value(word string, a resolve.Artifact) string {
	switch word {
	case "{job}":
		return strings.ReplaceAll(a.JobName, "/", "-") // one directory
	case "{job_slug}":
		return slug(a.JobName)
	case "{ref_slug}":
		return slug(a.Ref)
	case "{project}":
		return strings.ReplaceAll(a.Project, "/", "-")
	}
	if a.PipelineID == 0 {
		return ""
	}
	return strconv.FormatInt(a.PipelineID, 10)
}

// slug is what GitLab makes of a ref: lower case, at most 63 bytes, all but
// letters and digits replaced by hyphens, none at either end.
// https://docs.gitlab.com/ci/variables/predefined_variables/ (CI_COMMIT_REF_SLUG)
func slug(name string) string {
	text := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, name)
	return strings.Trim(text[:min(len(text), 63)], "-")
}
