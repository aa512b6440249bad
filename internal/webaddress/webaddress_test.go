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
		{"https://git.example/root/group/app/-/jobs/123/artifacts/browse/dist/", page{Project: "group/app", JobID: 123}, false},
		{"https://git.example/root/group/app/-/jobs/123#L5", page{Project: "group/app", JobID: 123}, false},
		{"https://git.example/root/group/app/-/pipelines/9/builds", page{Project: "group/app", PipelineID: 9}, false},
		{"https://git.example/root/g/a/-/jobs/artifacts/main/browse?job=build", page{Project: "g/a", Ref: "main", Job: "build"}, false},
		{"https://git.example/root/g/a/-/jobs/artifacts/release/2.x/raw/raw/x?job=build%3A+%5Ba%5D", page{Project: "g/a", Ref: "release/2.x", Job: "build: [a]"}, false},
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
	}
}
