package gitlabtest_test

import (
	"slices"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// TestShiftedRows reads lists that grow at the front after the first page: rows are
// repeated, and none is missing.
// https://docs.gitlab.com/api/rest/#offset-based-pagination
func TestShiftedRows(t *testing.T) {
	t.Parallel()
	tests := []struct {
		shift int
		path  string
		want  [][]int64
	}{
		{0, "pipelines/7/jobs?per_page=3", [][]int64{{8, 7, 6}, {5, 4, 3}, {2}}},
		{1, "pipelines/7/jobs?per_page=3", [][]int64{{8, 7, 6}, {6, 5, 4}, {3, 2}}},
		{2, "pipelines/7/jobs?per_page=3", [][]int64{{8, 7, 6}, {7, 6, 5}, {4, 3, 2}}},
		{9, "pipelines/7/jobs?per_page=3", [][]int64{{8, 7, 6}, {8, 7, 6}, {5, 4, 3}, {2}}}, // one page at most
		{1, "jobs?per_page=5", [][]int64{{8, 7, 6, 5, 4}, {4, 3, 2, 1}}},
		{2, "pipelines/7/jobs?per_page=20", [][]int64{{8, 7, 6, 5, 4, 3, 2}}},
		{1, "jobs?per_page=5&pagination=keyset", [][]int64{{8, 7, 6, 5, 4}, {3, 2, 1}}}, // a cursor isn't affected
	}
	for _, tt := range tests {
		s := gitlabtest.Start(manyJobs(8), gitlabtest.Options{ShiftRows: tt.shift})
		var got [][]int64
		for address := s.APIURL + "/projects/1/" + tt.path; address != "" && len(got) < 9; {
			a := ask(t, address, "PRIVATE-TOKEN", "reader")
			got, address = append(got, ids(t, a.body)), ""
			if link := a.header.Get("Link"); link != "" {
				if next := links(t, link)["next"]; next != nil {
					address = next.String()
				}
			}
		}
		s.Close()
		if !slices.EqualFunc(got, tt.want, slices.Equal) {
			t.Errorf("%d, %s: %v, want %v", tt.shift, tt.path, got, tt.want)
		}
	}
	s := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{ShiftRows: 1})
	t.Cleanup(s.Close)
	got := ask(t, s.APIURL+"/projects/1/jobs/1001/artifacts/tree?per_page=2&page=2", credentials["job"]...).body
	if strings.Contains(got, `"docs/"`) || !strings.Contains(got, `"empty"`) {
		t.Errorf("an archive does not change: %s", got)
	}
}

// Where offset pages end, and lists without other pages.
func TestPageLimits(t *testing.T) {
	t.Parallel()
	const noKeyset = `{"error":"Keyset pagination is not yet available for this type of request"}`
	s := gitlabtest.Start(manyJobs(40), gitlabtest.Options{MaxOffset: 20, NoKeyset: true})
	t.Cleanup(s.Close)
	for path, want := range map[string]string{
		"jobs?per_page=10&page=2":               `[{"id":30,`,
		"jobs?per_page=10&page=3":               `{"error":"Offset pagination has a maximum allowed offset of 20 for requests that return objects of type Ci::Build. Remaining records can be retrieved using keyset pagination."}`,
		"pipelines/7/jobs?per_page=10&page=3":   `[{"id":20,`, // this list has no limit
		"jobs?pagination=keyset":                noKeyset,
		"pipelines?pagination=keyset":           noKeyset,
		"pipelines/7/jobs?pagination=keyset":    noKeyset,
		"pipelines/7/bridges?pagination=keyset": noKeyset,
	} {
		got := ask(t, s.APIURL+"/projects/1/"+path, "PRIVATE-TOKEN", "reader")
		if !strings.HasPrefix(got.body, want) || (got.status == 405) != strings.HasPrefix(want, "{") {
			t.Errorf("%s: %d %.200s", path, got.status, got.body)
		}
	}
}
