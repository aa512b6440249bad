package gitlabtest_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// sha is a commit of project 5, by the end of its ID.
func sha(end string) string { return "5" + strings.Repeat("0", 39-len(end)) + end }

// TestCommit requests GET /projects/:id/repository/commits/:sha by ID, short ID, branch,
// tag or merge request ref. A removed commit isn't found.
func TestCommit(t *testing.T) {
	t.Parallel()
	s := start(t, gitlabtest.Options{})
	for ref, want := range map[string]struct{ id, parents string }{
		sha("04"):                           {sha("04"), sha("03")},
		"main":                              {sha("04"), sha("03")},
		"HEAD":                              {sha("04"), sha("03")},
		"refs%2Fheads%2Fmain":               {sha("04"), sha("03")},
		"feature%2Fcart":                    {sha("12"), sha("11")},
		sha("01"):                           {sha("01"), ""},
		sha("21"):                           {sha("21"), sha("04") + "," + sha("12")},
		"refs%2Fmerge-requests%2F3%2Fhead":  {sha("12"), sha("11")},
		"refs%2Fmerge-requests%2F3%2Ftrain": {sha("22"), sha("04") + "," + sha("12")},
		sha("ff"):                           {}, // unreachable, and removed
		"feature%2Fleft":                    {}, // the branch is deleted
		sha("99"):                           {},
		"none":                              {},
		"5000000":                           {}, // ambiguous
	} {
		got := ask(t, s.APIURL+"/projects/5/repository/commits/"+ref, credentials["private"]...)
		var commit struct {
			ID        string              `json:"id"`
			ParentIDs []string            `json:"parent_ids"`
			Last      *struct{ ID int64 } `json:"last_pipeline"`
		}
		if want.id == "" {
			if got.status != 404 || got.body != `{"message":"404 Commit Not Found"}` {
				t.Errorf("%s: %d %s", ref, got.status, got.body)
			}
			continue
		}
		if err := json.Unmarshal([]byte(got.body), &commit); err != nil || commit.ID != want.id || strings.Join(commit.ParentIDs, ",") != want.parents {
			t.Errorf("%s: %d %s", ref, got.status, got.body)
		}
	}
	tag := ask(t, s.APIURL+"/projects/1/repository/commits/v1.0", credentials["private"]...)
	if !strings.Contains(tag.body, `"last_pipeline":{"id":103,`) || !strings.Contains(tag.body, `"stats":{`) {
		t.Errorf("a tag: %s", tag.body)
	}
	if got := ask(t, s.APIURL+"/projects/1/repository/commits/v1.0?stats=false", credentials["private"]...).body; strings.Contains(got, `"stats"`) {
		t.Errorf("without stats: %s", got)
	}
	// The jobs of a removed commit have no commit.
	if got := ask(t, s.APIURL+"/projects/5/jobs/5151", credentials["private"]...).body; !strings.Contains(got, `"commit":null`) {
		t.Errorf("a job: %s", got)
	}
}

// Access to the repository by version: with a job token, the Branches API has only the
// list, and the Repositories API nothing. Guests of a private project have no access.
func TestRepositoryAccess(t *testing.T) {
	t.Parallel()
	guest := []string{"PRIVATE-TOKEN", "guest"}
	tests := []struct {
		version, path string
		job, guest    int
	}{
		{"18.2", "commits/main", 404, 403},
		{"18.3", "commits/main", 200, 403},
		{"", "commits/main", 200, 403},
		{"", "commits/none", 404, 403},
		{"18.2", "branches", 404, 403},
		{"", "branches", 200, 403},
		{"", "branches/main", 404, 403},
		{"", "merge_base?refs[]=main&refs[]=main", 404, 403},
	}
	for _, tt := range tests {
		world := gitlabtest.Fixture()
		world.Tokens = append(world.Tokens, &gitlabtest.Token{Value: "guest", Kind: gitlabtest.KindPrivate, Roles: map[int64]string{5: "guest"}})
		s := gitlabtest.Start(world, gitlabtest.Options{Version: tt.version})
		t.Cleanup(s.Close)
		address := s.APIURL + "/projects/5/repository/" + tt.path
		if got := ask(t, address, shopJob...); got.status != tt.job {
			t.Errorf("%s %s, job token: %d %s", tt.version, tt.path, got.status, got.body)
		}
		if got := ask(t, address, guest...); got.status != tt.guest {
			t.Errorf("%s %s, guest: %d %s", tt.version, tt.path, got.status, got.body)
		}
		if got := ask(t, address); got.status != 404 {
			t.Errorf("%s %s, anonymous: %d %s", tt.version, tt.path, got.status, got.body)
		}
	}
	// Other projects' job tokens need the permission, if the project restricts them.
	world := gitlabtest.Fixture()
	world.Projects[4].JobTokenAllowlist, world.Projects[4].JobTokenPolicies = []int64{1}, map[int64][]string{1: {"read_jobs"}}
	s := gitlabtest.Start(world, gitlabtest.Options{})
	t.Cleanup(s.Close)
	for path, permission := range map[string]string{"repository/commits/main": "read_repositories", "repository/branches": "read_repositories", "merge_requests/3": "read_merge_requests"} {
		if got := ask(t, s.APIURL+"/projects/5/"+path, credentials["job"]...); got.status != 403 || !strings.Contains(got.body, "required: "+permission) {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}

// TestBranches lists the branches that exist, not all that ever had pipelines.
func TestBranches(t *testing.T) {
	t.Parallel()
	s := start(t, gitlabtest.Options{})
	for query, want := range map[string][]string{
		"": {"feature/cart", "main"}, "?search=cart": {"feature/cart"}, "?search=^m": {"main"}, "?search=in$": {"main"}, "?search=x": nil,
		"?per_page=1&page=2": {"main"},
	} {
		var rows []struct {
			Name    string
			Default bool
			Commit  struct{ ID string }
		}
		got := ask(t, s.APIURL+"/projects/5/repository/branches"+query, credentials["private"]...)
		if err := json.Unmarshal([]byte(got.body), &rows); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, row := range rows {
			names = append(names, row.Name)
			if row.Default != (row.Name == "main") || row.Commit.ID != map[string]string{"main": sha("04"), "feature/cart": sha("12")}[row.Name] {
				t.Errorf("%s: %+v", query, row)
			}
		}
		if !slices.Equal(names, want) {
			t.Errorf("%s: %v, want %v", query, names, want)
		}
	}
	for path, want := range map[string]int{"main": 200, "feature%2Fcart": 200, "feature/cart": 200, "feature%2Fleft": 404, "none": 404} {
		if got := ask(t, s.APIURL+"/projects/5/repository/branches/"+path, credentials["private"]...); got.status != want || want == 404 && got.body != `{"message":"404 Branch Not Found"}` {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}

// TestMergeBase is GET /projects/:id/repository/merge_base.
func TestMergeBase(t *testing.T) {
	t.Parallel()
	s := start(t, gitlabtest.Options{})
	for query, want := range map[string]string{
		"?refs[]=main&refs[]=feature/cart":                     `"id":"` + sha("02") + `"`,
		"?refs=main,feature/cart":                              `"id":"` + sha("02") + `"`,
		"?refs[]=" + sha("03") + "&refs[]=main":                `"id":"` + sha("03") + `"`,
		"?refs[]=" + sha("22") + "&refs[]=feature/cart":        `"id":"` + sha("12") + `"`,
		"?refs[]=main&refs[]=feature/cart&refs[]=" + sha("01"): `"id":"` + sha("01") + `"`,
		"?refs[]=main":                     `{"message":"Provide at least 2 refs"}`,
		"?refs[]=main&refs[]=none":         `{"message":"Could not find ref: none"}`,
		"?refs[]=gone&refs[]=none":         `{"message":"Could not find refs: gone, none"}`,
		"?refs[]=main&refs[]=" + sha("ff"): `{"message":"Could not find ref: ` + sha("ff") + `"}`,
	} {
		if got := ask(t, s.APIURL+"/projects/5/repository/merge_base"+query, credentials["private"]...); !strings.Contains(got.body, want) {
			t.Errorf("%s: %d %s, want %s", query, got.status, got.body, want)
		}
	}
	s.Update(func(w *gitlabtest.World) {
		w.Projects[4].Commits = append(w.Projects[4].Commits, &gitlabtest.Commit{ID: "0rphan"})
	})
	if got := ask(t, s.APIURL+"/projects/5/repository/merge_base?refs[]=main&refs[]=0rphan", credentials["private"]...); got.status != 404 || got.body != `{"message":"404 Merge Base Not Found"}` {
		t.Errorf("no common ancestor: %d %s", got.status, got.body)
	}
}
