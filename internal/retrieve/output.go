package retrieve

import (
	"cmp"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/resolve"
)

// Output says where the files of each job go. All jobs are staged in Dir, so they are
// committed together; below it, each has a directory by the template.
type Output struct {
	Dir      string
	template string // with slashes; empty means Dir itself
	file     bool   // template is the name of a file for the archive itself
}

// outputWords are the words that an output's directory may contain. Each stands for a
// property of the job.
var outputWords = []string{"{job}", "{job_slug}", "{pipeline}", "{ref_slug}", "{project}", "{report}"}

// ParseOutput splits a directory with words in braces: Dir is the part above the first
// word. The error is an [*UnknownWordError].
func ParseOutput(dir string) (Output, error) {
	parts := strings.Split(filepath.ToSlash(dir), "/")
	varies := slices.IndexFunc(parts, func(part string) bool { return strings.ContainsAny(part, "{}") })
	if varies < 0 {
		return Output{Dir: dir}, nil
	}
	template := strings.Join(parts[varies:], "/")
	rest := template
	for _, word := range outputWords {
		rest = strings.ReplaceAll(rest, word, "")
	}
	if strings.ContainsAny(rest, "{}") {
		return Output{}, &UnknownWordError{outputWords}
	}
	above := strings.Join(parts[:varies], "/")
	if above == "" {
		above = "."
		if strings.HasPrefix(filepath.ToSlash(dir), "/") {
			above = "/"
		}
	}
	return Output{Dir: filepath.FromSlash(above), template: template}, nil
}

// ParseArchive is ParseOutput for the name of a file for the archive itself.
func ParseArchive(file string) (Output, error) {
	dir, name := filepath.Split(file)
	o, err := ParseOutput(cmp.Or(strings.TrimRight(filepath.ToSlash(dir), "/"), dir[:min(1, len(dir))], "."))
	if _, nameErr := ParseOutput(name); err == nil {
		err = nameErr
	}
	o.template, o.file = path.Join(o.template, name), true
	return o, err
}

// varies reports whether the location depends on the job.
func (o Output) varies() bool { return strings.Contains(o.template, "{") }

// asksJob reports whether the location depends on what GitLab says about the job.
func (o Output) asksJob() bool {
	return slices.ContainsFunc(outputWords, func(word string) bool {
		return word != "{project}" && word != "{report}" && strings.Contains(o.template, word)
	})
}

// prefixes returns each artifact's directory or file below Dir.
func (o Output) prefixes(artifacts []resolve.Artifact) ([]string, error) {
	prefixes := make([]string, len(artifacts))
	for i, a := range artifacts {
		for _, word := range outputWords {
			if strings.Contains(o.template, word) && valueOf(word, a) == "" {
				return nil, &UnknownValueError{Word: word, Artifact: a, File: o.file}
			}
		}
		prefixes[i] = o.prefix(a)
		if o.isDot(prefixes[i]) {
			return nil, &extract.ConflictError{Path: prefixes[i], Reason: "files can't go there: the name of a job is a dot, which would be the directory itself"}
		}
		if before := slices.Index(prefixes[:i], prefixes[i]); o.file && before >= 0 {
			first := artifacts[before]
			return nil, &OneFileError{File: o.Of(a), Jobs: [2]string{first.Label(), a.Label()}, Reports: first.Report.Type != a.Report.Type}
		}
	}
	return prefixes, nil
}

// isDot reports whether a word has turned a whole part of the path into dots.
func (o Output) isDot(prefix string) bool {
	was := strings.Split(o.template, "/")
	for i, part := range strings.Split(prefix, "/") {
		if part == "." && was[i] != "." {
			return true
		}
	}
	return false
}

func (o Output) prefix(a resolve.Artifact) string {
	prefix := o.template
	for _, word := range outputWords {
		prefix = strings.ReplaceAll(prefix, word, valueOf(word, a))
	}
	return prefix
}

// Of returns an artifact's directory for messages: with slashes, if it is below Dir.
func (o Output) Of(a resolve.Artifact) string {
	if o.template == "" {
		return o.Dir
	}
	return path.Join(filepath.ToSlash(o.Dir), o.prefix(a))
}

func valueOf(word string, a resolve.Artifact) string {
	switch word {
	case "{job}":
		return strings.ReplaceAll(a.JobName, "/", "-") // a single directory
	case "{job_slug}":
		return slug(a.JobName)
	case "{ref_slug}":
		return slug(a.Ref)
	case "{project}":
		return strings.ReplaceAll(a.Project, "/", "-")
	case "{report}":
		return a.Report.Type
	}
	if a.PipelineID == 0 {
		return ""
	}
	return strconv.FormatInt(a.PipelineID, 10)
}

// slug converts a name as GitLab converts a ref to CI_COMMIT_REF_SLUG: lower case, at
// most 63 bytes, hyphens for everything except letters and digits, and none at either
// end. https://docs.gitlab.com/ci/variables/predefined_variables/
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
