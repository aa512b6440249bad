package cli_test

import (
	"bytes"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/cli"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// proposed finds a command line in a hint.
var proposed = regexp.MustCompile(`(?m)(?:did you mean|to name a job): artifetch (.*?)(?:; --name .*)?$`)

// shellWords splits a line as a shell does, where quotes are single.
func shellWords(line string) (words []string) {
	for _, m := range regexp.MustCompile(`(?:[^ ']|'[^']*')+`).FindAllString(line, -1) {
		words = append(words, strings.ReplaceAll(m, "'", ""))
	}
	return words
}

// Whoever follows a proposal gets what they asked for: the same project, paths, output.
func TestProposalsWork(t *testing.T) {
	s := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{RelativeRoot: "/gitlab"})
	t.Cleanup(s.Close)
	t.Setenv("ARTIFETCH_SERVER_URL", s.URL)
	t.Setenv("ARTIFETCH_TOKEN_FILE", cli.TokenFile(t, gitlabtest.PrivateToken))
	for _, tt := range []struct{ typed, want, prints string }{
		{"ls URL/group/app/-/jobs/1001", "ls --job-id URL/group/app/-/jobs/1001", "dist/app\n"},
		{"ls URL/group/app/-/jobs/1001/artifacts/browse/dist/", "ls --job-id URL/group/app/-/jobs/1001 dist/", "^dist/"},
		{"ls --job-id URL/group/app/-/jobs/1001/artifacts/browse/dist/", "ls --job-id URL/group/app/-/jobs/1001 dist/", "^dist/"},
		{"ls URL/group/app/-/jobs/1001/artifacts/file/docs/guide%20%5Ben%5D.md", `ls --job-id URL/group/app/-/jobs/1001 'docs/guide \[en\].md'`, "^docs/guide .en..md\n$"},
		{"ls URL/group/app/-/jobs/artifacts/main/browse/dist?job=build -x dist/logs/**", "ls --job-id 'URL/group/app/-/jobs/artifacts/main/browse?job=build' --exclude 'dist/logs/**' dist/", "^dist/\ndist/app\ndist/current\n$"},
		{"cat URL/group/app/-/jobs/1001/artifacts/raw/job.txt", "cat --job-id URL/group/app/-/jobs/1001 job.txt", "."},
		{"cat URL/group/app/-/jobs/1001/artifacts/file/docs/guide%20%5Ben%5D.md", "cat --job-id URL/group/app/-/jobs/1001 'docs/guide [en].md'", "."},
		{"cat URL/group/app/-/jobs/1001/artifacts/browse/dist/ -o x", "ls --job-id URL/group/app/-/jobs/1001 dist/", "^dist/"},
		{"cat URL/group/app/-/jobs/1001/artifacts/raw/job.txt -o -", "cat --job-id URL/group/app/-/jobs/1001 --output=- job.txt", "."},
		{"cat URL/group/app/-/jobs/1001", "cat --job-id URL/group/app/-/jobs/1001 PATH", "."},
		{"ls URL/api/v4/projects/1/jobs/1001/artifacts", "ls --job-id URL/api/v4/projects/1/jobs/1001/artifacts", "dist/app\n"},
		{"ls URL/api/v4/projects/group%2Fapp/jobs/1001/artifacts/dist/app", "ls --job-id URL/api/v4/projects/group%2Fapp/jobs/1001 dist/app", "^dist/app\n$"},
		{"ls URL/api/v4/projects/1/jobs/artifacts/main/download?job=build", "ls --job-id 'URL/api/v4/projects/1/jobs/artifacts/main/download?job=build'", "dist/app\n"},
		{"cat URL/api/v4/projects/1/jobs/artifacts/main/raw/job.txt?job=build", "cat --job-id 'URL/api/v4/projects/1/jobs/artifacts/main/raw?job=build' job.txt", "."},
		{"ls URL/api/v4/projects/1/pipelines/100/jobs -j build", "ls --pipeline URL/api/v4/projects/1/pipelines/100/jobs --job build", "dist/app\n"},
		{"ls URL/api/v4/projects/1 -r main", "ls --project URL/api/v4/projects/1 --ref main --job NAME", "dist/app\n"},
		{"ls URL/group/app/-/pipelines/100 -r main -j build -R 1 --recent -l", "ls --pipeline URL/group/app/-/pipelines/100 --job build --long", "dist/app\n"},
		{"ls URL/group/app/-/jobs/1001 -r main --wait 1s", "ls --job-id URL/group/app/-/jobs/1001 --wait 1s", "dist/app\n"},
		{"ls URL/group/app --job build", "ls --project URL/group/app --ref REF --job build", "dist/app\n"},
		{"URL/group/app/-/jobs/1001/artifacts/browse/dist/", "fetch --job-id URL/group/app/-/jobs/1001 dist/", ""},
		{"fetch -R 1 --ref main build dist -o DIR -x *.map -q", "fetch --ref main --job build --quiet --project 1 --output DIR --exclude '*.map' dist", ""},
		{"fetch -R 1 main build dist/ -o=DIR --no-progress", "fetch --ref main --job build --project 1 --output DIR --no-progress dist/", ""},
		{"fetch -R 1 1001 --output DIR", "fetch --job-id 1001 --project 1 --output DIR", ""},
		{"ls -R 1 -r nope -r main build", "ls --ref nope --ref main --job build --project 1", "dist/app\n"},
		{"jobs URL/group/app/-/pipelines/100 --format json -r main", "jobs --pipeline URL/group/app/-/pipelines/100 --format json", `"id"`},
		{"jobs URL/group/app --name build", "jobs --project URL/group/app --name build", "1001"},
		{"jobs URL/group/app/-/jobs/1001", "job show URL/group/app/-/jobs/1001", "build"},
		{"jobs URL/group/app/-/jobs/artifacts/main/browse?job=build", "jobs --project 'URL/group/app/-/jobs/artifacts/main/browse?job=build' --ref main", "1001"},
		{"jobs 100 -R 1", "jobs --pipeline 100 --project 1", "1001"},
		{"jobs main -R 1", "jobs --ref main --project 1", "1001"},
		{"job show build -R 1", "job show --ref REF --job build --project 1", "1401"},
		{"job show main build -R 1 --format json", "job show --ref main --job build --project 1 --format json", "1401"},
		{"job show build -r main -R 1", "job show --ref main --job build --project 1", "1401"},
	} {
		dir := t.TempDir()
		fill := func(line string) string {
			return strings.NewReplacer("URL", s.URL, "DIR", filepath.Join(dir, "out")).Replace(line)
		}
		var out, errs bytes.Buffer
		code := command(t, strings.Fields("artifetch "+fill(tt.typed)), cli.IO{Out: io.Discard, Err: &errs})
		m := proposed.FindStringSubmatch(errs.String())
		if code != 2 || m == nil {
			t.Errorf("%s: code %d: %s", tt.typed, code, errs.String())
			continue
		}
		line := m[1]
		if line != fill(tt.want) {
			t.Errorf("%s: proposed is %s", tt.typed, line)
		}
		if strings.HasPrefix(line, "fetch") && !strings.Contains(line, "--output") {
			line += " --output " + dir
		}
		line = strings.NewReplacer(" REF", " main", " NAME", " build", " PATH", " job.txt").Replace(line)
		errs.Reset()
		if code := command(t, shellWords("artifetch "+line), cli.IO{Out: &out, Err: &errs}); code != 0 || !regexp.MustCompile(tt.prints).MatchString(out.String()) {
			t.Errorf("%s: %s: code %d: %s%s", tt.typed, line, code, out.String(), errs.String())
		}
		if files, err := filepath.Glob(filepath.Join(dir, "*", "*")); strings.HasPrefix(line, "fetch") && (err != nil || len(files) == 0) {
			t.Errorf("%s: %s: %q, %v", tt.typed, line, files, err)
		}
	}
}

// What a hint says about a value works when a person does it.
func TestHintsAboutValues(t *testing.T) {
	s := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{})
	t.Cleanup(s.Close)
	t.Setenv("ARTIFETCH_SERVER_URL", s.URL)
	t.Setenv("ARTIFETCH_TOKEN_FILE", cli.TokenFile(t, gitlabtest.PrivateToken))
	t.Setenv("ARTIFETCH_PROJECT", "1")
	for _, tt := range []struct {
		typed []string
		code  int
		hint  string
		then  []string
	}{
		{[]string{"ls", "-r", " main", "-j", "build"}, 3, "--ref main\n", []string{"ls", "-r", "main", "-j", "build"}},
		{[]string{"ls", "-r", `"main"`, "-j", "build"}, 3, "without the spaces or quotes: --ref main\n", []string{"ls", "-r", "main", "-j", "build"}},
		{[]string{"ls", "-r", "main", "-j", "1001"}, 3, "--job-id 1001 in place of the name and the ref\n", []string{"ls", "--job-id", "1001"}},
		{[]string{"ls", "-r", "main", "-j", "build, test 1/3"}, 3, "--job 'build' --job 'test 1/3'\n", []string{"explain", "-r", "main", "--job", "build", "--job", "test 1/3"}},
		{[]string{"ls", "--job-id", "1001", `dist\*`}, 10, "did you mean 'dist*'?\n", []string{"ls", "--job-id", "1001", "dist*"}},
		{[]string{"ls", "--job-id", "1001", `dist\app`}, 10, "did you mean 'dist/app'?\n", []string{"ls", "--job-id", "1001", "dist/app"}},
		{[]string{"ls", "--job-id", "1001", `"dist/"`}, 10, "did you mean 'dist/'?\n", []string{"ls", "--job-id", "1001", "dist/"}},
		{[]string{"ls", "--job-id", "1001", "dist/ "}, 10, "did you mean 'dist/'?\n", []string{"ls", "--job-id", "1001", "dist/"}},
		{[]string{"ls", "--job-id", "1001", "/dist"}, 10, "did you mean 'dist'?\n", []string{"ls", "--job-id", "1001", "dist"}},
		{[]string{"ls", "--job-id", "1001", "dist/,docs"}, 10, "did you mean '{dist,docs}'?\n", []string{"ls", "--job-id", "1001", "{dist,docs}"}},
		{[]string{"ls", "--job-id", "1001", "docs/guide [en].md"}, 10, `did you mean 'docs/guide \[en\].md'?` + "\n", []string{"ls", "--job-id", "1001", `docs/guide \[en\].md`}},
		{[]string{"cat", "--job-id", "1001", "/job.txt"}, 10, "did you mean 'job.txt'?\n", []string{"cat", "--job-id", "1001", "job.txt"}},
		{[]string{"cat", "--job-id", "1001", "job*.txt "}, 10, "the archive has", []string{"ls", "--job-id", "1001", "job*.txt"}},
		{[]string{"ls", "--job-id", "1001", "a", "b"}, 10, "at its top, the archive has dist/", []string{"ls", "--job-id", "1001", "dist/"}},
	} {
		var errs bytes.Buffer
		if code := command(t, append([]string{"artifetch"}, tt.typed...), cli.IO{Out: io.Discard, Err: &errs}); code != tt.code || !strings.Contains(errs.String(), tt.hint) {
			t.Errorf("%q: code %d: %s", tt.typed, code, errs.String())
		}
		errs.Reset()
		if code := command(t, append([]string{"artifetch"}, tt.then...), cli.IO{Out: io.Discard, Err: &errs}); code != 0 {
			t.Errorf("%q: code %d: %s", tt.then, code, errs.String())
		}
	}
}
