package harness

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// Secrets lists every token of the fixture, valid or not.
func Secrets() []string {
	var values []string
	for _, t := range gitlabtest.Fixture().Tokens {
		values = append(values, t.Value)
	}
	return values
}

// Describe returns a request in one line: method, host, path, query, range, body, and the
// status of the answer. It omits object storage's query, which is signed.
func Describe(r gitlabtest.Request) string {
	line := fmt.Sprintf("%s %s %s", r.Method, r.Host, r.Path)
	if r.Host == "gitlab" && r.Query != "" {
		line += "?" + r.Query
	}
	for _, more := range []string{r.Range, r.Body} {
		if more != "" {
			line += " " + more
		}
	}
	return fmt.Sprintf("%s -> %d", line, r.Status)
}

// Tree returns everything below a directory by path, with the directory itself as "": the
// mode, and a link's target or a file's content.
func Tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		what := info.Mode().String()
		if target, err := os.Readlink(path); err == nil {
			what += " " + target
		} else if info.Mode().IsRegular() {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			what += " " + string(content)
		}
		all[strings.TrimPrefix(path, dir)] = what
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
