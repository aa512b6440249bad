package manifest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Draft is a first manifest for a project.
type Draft struct {
	Project, Ref string
	Found        string // the origin of Jobs, such as "pipeline 12"
	Jobs         []DraftJob
}

// DraftJob is a job with artifacts, with the text of its comment.
type DraftJob struct{ Name, About string }

const draftHead = `# The artifacts that this directory needs. "artifetch sync" fetches them, and records in the
# lock file which jobs and which files they are. Commit both files.
version: 1

# Defaults for sources that don't set these keys.
defaults:
`

const draftKeys = `# A source can also have these keys, and others that docs/sync.md lists:
#   paths: [dist/, 'lib/**/*.so']   fetch only these files
#   exclude: ['**/*.map']           leave these out
#   strip-components: 1             drop the first directory of each name
#   if-missing: warn                continue if the job doesn't exist
`

const draftEmpty = `#
# No job with artifacts was found. A source looks like this:
#  - name: build
#    job: build
#    output: artifacts/build
sources: []
`

// Text returns the manifest, with comments and a source for each job.
func (d Draft) Text() ([]byte, error) {
	var b strings.Builder
	b.WriteString(draftHead)
	defaults, err := encodePairs([]pair{{"project", d.Project}, {"ref", d.Ref}}, 0)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(defaults)) {
		b.WriteString("  " + line)
	}
	b.WriteString("\n")
	if len(d.Jobs) == 0 {
		b.WriteString(draftKeys + draftEmpty)
		return []byte(b.String()), nil
	}
	_, _ = fmt.Fprintf(&b, "# The jobs of %s that have artifacts: remove those that you don't need.\n%ssources:\n", d.Found, draftKeys)
	var names []string
	for _, j := range d.Jobs {
		name := sourceName(j.Name, names)
		names = append(names, name)
		lines, err := item([]pair{{"name", name}, {"job", j.Name}, {"output", "artifacts/" + name}}, "  ", "\n")
		if err != nil {
			return nil, err
		}
		lines[0] = strings.TrimSuffix(lines[0], "\n") + " # " + j.About + "\n"
		b.WriteString(strings.Join(lines, ""))
	}
	return []byte(b.String()), nil
}

var notInName = regexp.MustCompile(`[^A-Za-z0-9._]+`)

// sourceName derives a source's name from a job's, different from the taken ones.
func sourceName(job string, taken []string) string {
	base := strings.Trim(notInName.ReplaceAllString(job, "-"), "-._")
	if base == "" || (&Source{Name: base}).isCommand() {
		base = strings.TrimSuffix("job-"+base, "-")
	}
	name := base
	for n := 2; slices.Contains(taken, name); n++ {
		name = fmt.Sprintf("%s-%d", base, n)
	}
	return name
}
