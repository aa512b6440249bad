package jobs_test

import (
	"encoding/json"
	"testing"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/jobs"
)

// GitLab's fields come first and as they are, each once; ours are beside them, and give way to
// a field of the same name that has the documented type.
func TestWhole(t *testing.T) {
	t.Parallel()
	const unknown = `"coverage":null,"created_at":null,"duration":null,"erased_at":null,"failure_reason":null,"finished_at":null,"name":"build",`
	const rest = `"project_id":null,"queued_duration":null,"ref":"","sha":null,"stage":"","started_at":null,"status":"","tag":false,`
	for _, tt := range []struct{ raw, want string }{
		{
			`{"zz":null,"id":5}`,
			`{"zz":null,"id":5,"allow_failure":false,"archive_size":7,"artifacts":[],"artifacts_expire_at":null,` + unknown + `"pipeline_id":9,` + rest + `"tags":["x"],"user":null,"web_url":null}`,
		},
		{
			`{"archive_size":8,"user":{"new":[1]},"id":5,"tags":["y"],"pipeline_id":8,"artifacts":[{"file_type":"junit","new":1}],"web_url":null,"<&>":"<&>"}`,
			`{"archive_size":8,"user":{"new":[1]},"id":5,"tags":["y"],"pipeline_id":8,"artifacts":[{"file_type":"junit","new":1}],"web_url":null,"<&>":"<&>","allow_failure":false,"artifacts_expire_at":null,` + unknown + rest[:len(rest)-1] + `}`,
		},
		{
			`{"archive_size":{"a":1},"id":4,"user":7,"tags":null,"new":1,"pipeline_id":"mine","project_id":"x","sha":[1],"artifacts":null,"web_url":7,"new":[2],"id":5}`,
			`{"id":5,"new":[2],"allow_failure":false,"archive_size":7,"artifacts":[],"artifacts_expire_at":null,` + unknown + `"pipeline_id":9,` + rest + `"tags":["x"],"user":null,"web_url":null}`,
		},
	} {
		j := gitlab.Job{ID: 5, Name: "build", TagList: []string{"x"}, Pipeline: gitlab.Pipeline{ID: 9}, ArtifactsFile: &gitlab.ArtifactsFile{Size: 7}, Raw: json.RawMessage(tt.raw)}
		if got, err := jobs.Whole(j); err != nil || string(got) != tt.want {
			t.Errorf("%s, %v\nwant %s", got, err, tt.want)
		}
	}
	all, err := json.Marshal(jobs.NewRow(gitlab.Job{ID: 5}))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := jobs.Whole(gitlab.Job{ID: 5, Raw: all}); err != nil || string(got) != string(all) {
		t.Errorf("%s, %v\nwant %s", got, err, all)
	}
}
