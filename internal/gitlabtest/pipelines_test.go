package gitlabtest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// pipelineWorld has all kinds of pipelines in the public project 1.
func pipelineWorld() *gitlabtest.World {
	day := func(d int) time.Time { return time.Date(2026, 5, d, 12, 0, 0, 0, time.UTC) }
	one := func(id int64, ref, status string, change func(*gitlabtest.Pipeline)) *gitlabtest.Pipeline {
		p := &gitlabtest.Pipeline{ID: id, Ref: ref, Status: status, SHA: strings.Repeat("a", 40), CreatedAt: day(int(id)), UpdatedAt: day(30 - int(id))}
		if change != nil {
			change(p)
		}
		return p
	}
	return &gitlabtest.World{
		Projects: []*gitlabtest.Project{{
			ID: 1, Path: "g/p", Visibility: gitlabtest.Public, DefaultBranch: "main",
			Heads: map[string]string{"gone": "", "moved": strings.Repeat("c", 40), "behind": strings.Repeat("b", 40)},
			Pipelines: []*gitlabtest.Pipeline{
				one(1, "main", "success", func(p *gitlabtest.Pipeline) { p.Name = "nightly" }),
				one(2, "main", "failed", func(p *gitlabtest.Pipeline) {
					p.Bridges = []*gitlabtest.Bridge{{ID: 20, Child: one(9, "main", "success", func(p *gitlabtest.Pipeline) { p.Source = "parent_pipeline" })}}
				}),
				one(3, "v1", "success", func(p *gitlabtest.Pipeline) { p.Tag = true }),
				one(4, "refs/merge-requests/7/head", "running", func(p *gitlabtest.Pipeline) { p.Source, p.User = "merge_request_event", "somebody" }),
				one(5, "behind", "success", func(p *gitlabtest.Pipeline) { p.SHA = strings.Repeat("b", 40) }),
				one(6, "behind", "canceled", nil),
				one(7, "gone", "pending", nil),
				one(8, "moved", "manual", func(p *gitlabtest.Pipeline) { p.Source = "webide" }),
			},
		}},
		Tokens: []*gitlabtest.Token{{Value: "reader", Kind: gitlabtest.KindPrivate}, {Value: "glcbt-live", Kind: gitlabtest.KindJob, Project: 2}},
	}
}

// TestPipelineFilters follows app/finders/ci/pipelines_finder.rb and Grape's validation
// before it.
func TestPipelineFilters(t *testing.T) {
	t.Parallel()
	s := gitlabtest.Start(pipelineWorld(), gitlabtest.Options{})
	t.Cleanup(s.Close)
	for query, want := range map[string][]int64{
		"":                                {8, 7, 6, 5, 4, 3, 2, 1},
		"?sort=asc":                       {1, 2, 3, 4, 5, 6, 7, 8},
		"?ref=main":                       {2, 1},
		"?ref=refs/merge-requests/7/head": {4},
		"?ref=refs%2Fmerge-requests%2F7%2Fhead&source=merge_request_event": {4},
		"?ref=refs/heads/main":                {},
		"?sha=" + strings.Repeat("b", 40):     {5},
		"?sha=bbbbbbbb":                       {},
		"?status=success":                     {5, 3, 1},
		"?status=skipped":                     {},
		"?source=parent_pipeline":             {9},
		"?source=parent_pipeline&ref=main":    {9},
		"?source=push&status=failed":          {2},
		"?scope=running":                      {4},
		"?scope=pending":                      {7},
		"?scope=finished":                     {6, 5, 3, 2, 1},
		"?scope=tags":                         {3},
		"?scope=branches":                     {8, 6, 2}, // 7 belongs to a deleted branch
		"?name=nightly":                       {1},
		"?username=somebody":                  {4},
		"?yaml_errors=true":                   {},
		"?order_by=updated_at":                {1, 2, 3, 4, 5, 6, 7, 8},
		"?order_by=ref&sort=asc":              {5, 6, 7, 1, 2, 8, 4, 3},
		"?updated_after=2026-05-25T12:00:00Z": {5, 4, 3, 2, 1},
		"?updated_before=2026-05-25T12:00:00.000Z&updated_after=2026-05-24": {6, 5},
		"?created_before=2026-05-02T13:00:00%2B01:00":                       {2, 1},
		"?per_page=2&page=2": {6, 5},
	} {
		if got := ids(t, ask(t, s.APIURL+"/projects/1/pipelines"+query).body); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	for query, want := range map[string]string{
		"?scope=all":            `{"error":"scope does not have a valid value"}`,
		"?status=done":          `{"error":"status does not have a valid value"}`,
		"?source=git":           `{"error":"source does not have a valid value"}`,
		"?sort=up":              `{"error":"sort does not have a valid value"}`,
		"?order_by=name":        `{"error":"order_by does not have a valid value"}`,
		"?updated_after=sooner": `{"error":"updated_after is invalid"}`,
	} {
		if got := ask(t, s.APIURL+"/projects/9/pipelines"+query); got.status != 400 || got.body != want {
			t.Errorf("%s: %d %s", query, got.status, got.body)
		}
	}
}

// TestLatestPipeline expects the newest pipeline of the ref's commit, or a 403 if there
// is none. Job tokens are ignored.
func TestLatestPipeline(t *testing.T) {
	t.Parallel()
	const forbidden = `{"message":"403 Forbidden"}`
	s := gitlabtest.Start(pipelineWorld(), gitlabtest.Options{})
	t.Cleanup(s.Close)
	private := start(t, gitlabtest.Options{})
	tests := []struct {
		address, who string
		status       int
		body         string
	}{
		{s.APIURL + "/projects/1/pipelines/latest", "nobody", 200, `{"id":2,`}, // failed
		{s.APIURL + "/projects/1/pipelines/latest?ref=v1", "nobody", 200, `{"id":3,`},
		{s.APIURL + "/projects/1/pipelines/latest?ref=behind", "nobody", 200, `{"id":5,`},
		{s.APIURL + "/projects/1/pipelines/latest?ref=moved", "nobody", 403, forbidden},
		{s.APIURL + "/projects/1/pipelines/latest?ref=gone", "nobody", 403, forbidden},
		{s.APIURL + "/projects/1/pipelines/latest?ref=none", "nobody", 403, forbidden},
		{s.APIURL + "/projects/9/pipelines/latest", "nobody", 404, `{"message":"404 Project Not Found"}`},
		{private.APIURL + "/projects/1/pipelines/latest", "job", 404, `{"message":"404 Project Not Found"}`},
		{private.APIURL + "/projects/1/pipelines/latest", "dead job", 404, `{"message":"404 Project Not Found"}`},
		{private.APIURL + "/projects/1/pipelines/latest", "private", 200, `{"id":120,`},
		{private.APIURL + "/projects/1/pipelines/latest?ref=none", "private", 403, forbidden},
	}
	for _, tt := range tests {
		if got := ask(t, tt.address, credentials[tt.who]...); got.status != tt.status || !strings.HasPrefix(got.body, tt.body) {
			t.Errorf("%s as %s: %d %s", tt.address, tt.who, got.status, got.body)
		}
	}
}

// A single pipeline has more keys than a row in a list, and a row has more than the
// pipeline in a job.
func TestPipelineEntities(t *testing.T) {
	t.Parallel()
	s := start(t, gitlabtest.Options{})
	for path, want := range map[string]struct{ has, lacks []string }{
		"pipelines/100": {[]string{`"before_sha"`, `"tag":false`, `"detailed_status":{`, `"user":{`, `"finished_at":"`, `"name":null`}, nil},
		"pipelines/101": {[]string{`"source":"parent_pipeline"`, `"before_sha"`}, nil},
		"pipelines/120": {[]string{`"finished_at":null`, `"duration":null`}, nil},
		"pipelines":     {[]string{`"name":null`, `"iid":`}, []string{`"before_sha"`, `"detailed_status"`}},
		"pipelines/100/bridges": {[]string{
			`"downstream_pipeline":{"id":200,"iid":0,"project_id":2,`, `"downstream_pipeline":{"id":101,"iid":1,"project_id":1,`,
			`"user":{`, `"commit":{`, `"duration":60`,
		}, []string{`"artifacts"`, `"runner"`, `"before_sha"`}},
	} {
		got := ask(t, s.APIURL+"/projects/1/"+path, credentials["private"]...).body
		for _, piece := range want.has {
			if !strings.Contains(got, piece) {
				t.Errorf("%s lacks %s: %s", path, piece, got)
			}
		}
		for _, piece := range want.lacks {
			if strings.Contains(got, piece) {
				t.Errorf("%s has %s: %s", path, piece, got)
			}
		}
	}
}

// Job tokens can't read the project and the instance; anyone else can.
func TestProjectAndMetadata(t *testing.T) {
	t.Parallel()
	world := gitlabtest.Fixture()
	world.Projects[3].DefaultBranch = ""
	world.Tokens = append(world.Tokens, &gitlabtest.Token{Value: "narrow", Kind: gitlabtest.KindPrivate, Roles: map[int64]string{1: "owner"}, Scopes: []string{"read_user"}})
	s := gitlabtest.Start(world, gitlabtest.Options{Version: "18.10"})
	t.Cleanup(s.Close)
	narrow := []string{"PRIVATE-TOKEN", "narrow"}
	tests := []struct {
		path   string
		header []string
		status int
		body   string
	}{
		{"projects/1", credentials["private"], 200, `"path_with_namespace":"group/app"`},
		{"projects/group%2Fapp", credentials["private"], 200, `"default_branch":"main"`},
		{"projects/1", credentials["job"], 404, `{"message":"404 Project Not Found"}`},
		{"projects/1", nil, 404, `{"message":"404 Project Not Found"}`},
		{"projects/1", narrow, 403, `"error":"insufficient_scope"`},
		{"projects/4", nil, 200, `"default_branch":null`},
		{"projects/4", credentials["dead job"], 200, `"visibility":"public"`},
		{"projects/group%2Fold-lib", credentials["private"], 301, ""},
		{"metadata", credentials["private"], 200, `"version":"18.10.0-ee"`},
		{"version", credentials["private"], 200, `"enterprise":true`},
		{"metadata", narrow, 200, `"revision"`},
		{"user", narrow, 200, `"username":"fixture"`},
		{"metadata", credentials["job"], 401, `{"message":"401 Unauthorized"}`},
		{"version", nil, 401, `{"message":"401 Unauthorized"}`},
	}
	for _, tt := range tests {
		if got := ask(t, s.APIURL+"/"+tt.path, tt.header...); got.status != tt.status || !strings.Contains(got.body, tt.body) {
			t.Errorf("%s: %d %s, want %d %s", tt.path, got.status, got.body, tt.status, tt.body)
		}
	}
}
