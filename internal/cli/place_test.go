package cli

import (
	"net/url"
	"testing"

	"gitlab.com/artifetch/artifetch/resolve"
)

func TestPlace(t *testing.T) {
	t.Parallel()
	a := resolve.Artifact{JobName: "build: [linux, amd64]", PipelineID: 9, Ref: "release/2.X", Project: "group/lib"}
	tests := []struct{ output, dir, prefix, of string }{
		{"out", "out", "", "out"},
		{"/abs/out", "/abs/out", "", "/abs/out"},
		{"out/{job_slug}/bin", "out", "build---linux--amd64/bin", "out/build---linux--amd64/bin"},
		{"{pipeline}-{ref_slug}", ".", "9-release-2-x", "9-release-2-x"},
		{"/{project}", "/", "group-lib", "/group-lib"},
		{"a/b/x{job}", "a/b", "xbuild: [linux, amd64]", "a/b/xbuild: [linux, amd64]"},
	}
	for _, tt := range tests {
		p, err := newPlace(tt.output)
		if err != nil {
			t.Fatal(err)
		}
		prefixes, err := p.prefixes([]resolve.Artifact{a})
		if err != nil || p.dir != tt.dir || prefixes[0] != tt.prefix || p.of(a) != tt.of {
			t.Errorf("%s: %q, %q, %q, %v", tt.output, p.dir, prefixes, p.of(a), err)
		}
	}
	for _, output := range []string{"out/{jobs}", "out/{", "{job", "a}b"} {
		if _, err := newPlace(output); !is[*usageError](err) {
			t.Errorf("%s: %v", output, err)
		}
	}
	p, err := newPlace("out/{pipeline}")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.prefixes([]resolve.Artifact{{JobName: "x"}}); !is[*usageError](err) {
		t.Errorf("a pipeline that is not known: %v", err)
	}
}

func TestParseWeb(t *testing.T) {
	t.Parallel()
	api, err := url.Parse("https://git.example/root/api/v4")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		address string
		want    web
		fails   bool
	}{
		{"https://git.example/root/group/sub/app", web{project: "group/sub/app"}, false},
		{"https://git.example/root/group/app/-/jobs/123", web{project: "group/app", jobID: 123}, false},
		{"https://git.example/root/group/app/-/jobs/123/artifacts/browse/dist/", web{project: "group/app", jobID: 123}, false},
		{"https://git.example/root/group/app/-/jobs/123#L5", web{project: "group/app", jobID: 123}, false},
		{"https://git.example/root/group/app/-/pipelines/9/builds", web{project: "group/app", pipelineID: 9}, false},
		{"https://git.example/root/g/a/-/jobs/artifacts/main/browse?job=build", web{project: "g/a", ref: "main", job: "build"}, false},
		{"https://git.example/root/g/a/-/jobs/artifacts/release/2.x/raw/raw/x?job=build%3A+%5Ba%5D", web{project: "g/a", ref: "release/2.x", job: "build: [a]"}, false},
		{"https://git.example/root/g/a/-/jobs/artifacts/a%23b/download?job=x", web{project: "g/a", ref: "a#b", job: "x"}, false},
		{"https://git.example/root/g/a/-/merge_requests/5", web{project: "g/a"}, false},
		{"https://git.example/root/g/a/-/jobs/artifacts/main/browse", web{}, true},
		{"https://git.example/root/g/a/-/jobs/x", web{}, true},
		{"https://git.example/elsewhere/g/a", web{}, true},
		{"https://other.example/root/g/a/-/jobs/1", web{}, true},
		{"https://git.example/root/", web{}, true},
	}
	for _, tt := range tests {
		got, err := parseWeb(tt.address, api)
		if (err != nil) != tt.fails || !tt.fails && got != tt.want {
			t.Errorf("%s: %+v, %v", tt.address, got, err)
		}
	}
}
