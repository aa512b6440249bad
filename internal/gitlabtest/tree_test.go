package gitlabtest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

func TestTree(t *testing.T) {
	t.Parallel()
	s := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{})
	t.Cleanup(s.Close)
	old := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{Version: "18.7"})
	t.Cleanup(old.Close)
	tests := []struct {
		name, api, path string
		status          int
		want            []string // type, mode, path; or a part of the body
	}{
		{"root", s.APIURL, "1001/artifacts/tree", 200, []string{"directory 000755 dist/", "directory <nil> docs/", "file 000644 empty", "file 000644 job.txt"}},
		{"directory", s.APIURL, "1001/artifacts/tree?path=dist", 200, []string{"directory <nil> dist/logs/", "file 000755 dist/app", "file 000777 dist/current"}},
		{"with a slash", s.APIURL, "1001/artifacts/tree?path=dist/logs/", 200, []string{"file 000644 dist/logs/build.log"}},
		{"recursive", s.APIURL, "1001/artifacts/tree?path=dist&recursive=true", 200, []string{"file 000755 dist/app", "file 000777 dist/current", "directory <nil> dist/logs/", "file 000644 dist/logs/build.log"}},
		{"a file", s.APIURL, "1001/artifacts/tree?path=job.txt", 404, []string{"404 Path Not Found"}},
		{"no archive", s.APIURL, "1009/artifacts/tree", 404, []string{"404 Artifacts Not Found"}},
		{"before 18.8 it is a file", old.APIURL, "1001/artifacts/tree", 404, []string{"404 page not found"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, tt.api+"/projects/1/jobs/"+tt.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("JOB-TOKEN", gitlabtest.JobToken)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			var body json.RawMessage
			if err := json.NewDecoder(resp.Body).Decode(&body); err != nil && tt.api == s.APIURL {
				t.Fatal(err)
			}
			if resp.StatusCode != tt.status {
				t.Fatalf("status %d, want %d", resp.StatusCode, tt.status)
			}
			if tt.status != http.StatusOK {
				if tt.api == s.APIURL && !strings.Contains(string(body), tt.want[0]) {
					t.Errorf("body %s", body)
				}
				return
			}
			var rows []struct {
				Type, Path string
				Mode       *string
			}
			if err := json.Unmarshal(body, &rows); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range rows {
				mode := "<nil>"
				if r.Mode != nil {
					mode = *r.Mode
				}
				got = append(got, r.Type+" "+mode+" "+r.Path)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
