package webaddress_test

import (
	"errors"
	"net/url"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/webaddress"
)

func TestParse(t *testing.T) {
	t.Parallel()
	api, err := url.Parse("https://git.example/root/api/v4")
	if err != nil {
		t.Fatal(err)
	}
	const at = "https://git.example/root/"
	type page = webaddress.Page
	tests := []struct {
		address string
		want    page
		fails   bool
	}{
		{"https://git.example/root/group/sub/app", page{Project: "group/sub/app"}, false},
		{"https://git.example/root/group/app.git", page{Project: "group/app"}, false},
		{"https://git.example/root/group%2Fapp/", page{Project: "group/app"}, false},
		{"https://git.example/root/group/app/-/jobs/123", page{Project: "group/app", JobID: 123}, false},
		{"https://git.example/root/group/app/-/jobs/123/artifacts/browse/dist/", page{Project: "group/app", JobID: 123, Path: "dist/", Archive: at + "group/app/-/jobs/123"}, false},
		{"https://git.example/root/group/app/-/jobs/123/artifacts/browse", page{Project: "group/app", JobID: 123}, false},
		{"https://git.example/root/group/app/-/jobs/123/artifacts/browse/", page{Project: "group/app", JobID: 123}, false},
		{"https://git.example/root/group/app/-/jobs/123/artifacts/file/a%20b/c%23d.md#L5", page{Project: "group/app", JobID: 123, Path: "a b/c#d.md", Archive: at + "group/app/-/jobs/123"}, false},
		{"https://git.example/root/group/app/-/jobs/123/artifacts/download", page{Project: "group/app", JobID: 123}, false},
		{"https://git.example/root/api/v4/projects/7/jobs/123/artifacts", page{Project: "7", JobID: 123}, false},
		{"https://git.example/root/api/v4/projects/7/jobs/123/artifacts/dist/app", page{Project: "7", JobID: 123, Path: "dist/app", Archive: at + "api/v4/projects/7/jobs/123"}, false},
		{"https://git.example/root/api/v4/projects/7/jobs/123/artifacts/keep", page{Project: "7", JobID: 123}, false},
		{"https://git.example/root/api/v4/projects/g%2Fa/jobs/artifacts/main/download?job=x", page{Project: "g/a", Ref: "main", Job: "x"}, false},
		{"https://git.example/root/api/v4/projects/g%2Fa/jobs/artifacts/2.x%2Fb/raw/dist/app?private=1&job=x+y", page{Project: "g/a", Ref: "2.x/b", Job: "x y", Path: "dist/app", Archive: at + "api/v4/projects/g%2Fa/jobs/artifacts/2.x%2Fb/raw?job=x+y"}, false},
		{"https://git.example/root/api/v4/projects/7/pipelines/9/jobs?per_page=1", page{Project: "7", PipelineID: 9}, false},
		{"https://git.example/root/api/v4/projects/7/merge_requests/3", page{Project: "7", MergeRequest: 3}, false},
		{"https://git.example/root/api/v4/projects/7", page{Project: "7"}, false},
		{"https://git.example/root/api/v4/projects/", page{}, true},
		{"https://git.example/root/group/app/-/jobs/123#L5", page{Project: "group/app", JobID: 123}, false},
		{"https://git.example/root/group/app/-/pipelines/9/builds", page{Project: "group/app", PipelineID: 9}, false},
		{"https://git.example/root/g/a/-/jobs/artifacts/main/browse?job=build", page{Project: "g/a", Ref: "main", Job: "build"}, false},
		{"https://git.example/root/g/a/-/jobs/artifacts/release/2.x/raw/raw/x?job=build%3A+%5Ba%5D", page{Project: "g/a", Ref: "release/2.x", Job: "build: [a]", Path: "raw/x", Archive: at + "g/a/-/jobs/artifacts/release/2.x/raw?job=build%3A+%5Ba%5D"}, false},
		{"https://git.example/root/g/a/-/jobs/artifacts/a%23b/download?job=x", page{Project: "g/a", Ref: "a#b", Job: "x"}, false},
		{"https://git.example/root/g/a/-/merge_requests/5/diffs", page{Project: "g/a", MergeRequest: 5}, false},
		{"https://git.example/root/g/a/-/merge_requests/new", page{Project: "g/a"}, false},
		{"https://git.example/root/g/a/-/merge_requests", page{Project: "g/a"}, false},
		{"https://git.example/root/g/a/-/jobs/artifacts/main/browse", page{}, true},
		{"https://git.example/root/g/a/-/jobs/x", page{}, true},
		{"https://git.example/root/g/a/-/pipelines/0", page{}, true},
		{"https://git.example/elsewhere/g/a", page{}, true},
		{"https://other.example/root/g/a/-/jobs/1", page{}, true},
		{"https://git.example/root/", page{}, true},
		{"https://git.example/%zz", page{}, true},
	}
	for _, tt := range tests {
		got, err := webaddress.Parse(tt.address, api)
		_, typed := errors.AsType[*webaddress.Error](err)
		if (err != nil) != tt.fails || typed != tt.fails || !tt.fails && got != tt.want {
			t.Errorf("%s: %+v, %v", tt.address, got, err)
		}
		if got.Archive == "" {
			continue
		}
		of, err := webaddress.Parse(got.Archive, api)
		if got.Path, got.Archive = "", ""; err != nil || of != got {
			t.Errorf("%s: without its path: %+v, %v", tt.address, of, err)
		}
	}
}
