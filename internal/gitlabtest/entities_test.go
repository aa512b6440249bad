package gitlabtest_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// TestJobEntity checks a complete job, with all the keys of lib/api/entities/ci/job.rb
// and of the entities in it.
func TestJobEntity(t *testing.T) {
	t.Parallel()
	s := start(t, gitlabtest.Options{})
	var job map[string]any
	body := ask(t, s.APIURL+"/projects/5/jobs/5002", credentials["private"]...).body
	if err := json.Unmarshal([]byte(body), &job); err != nil {
		t.Fatal(err)
	}
	for inside, keys := range map[string]string{
		"": "id status stage name ref tag coverage allow_failure created_at started_at finished_at erased_at duration queued_duration user commit pipeline " +
			"web_url project artifacts_file artifacts runner runner_manager artifacts_expire_at archived tag_list",
		"user":           "id username public_email name state locked avatar_url web_url created_at bio location bot followers following",
		"commit":         "id short_id created_at parent_ids title message author_name author_email authored_date committer_name committer_email committed_date trailers web_url",
		"pipeline":       "id iid project_id sha ref status source created_at updated_at web_url",
		"runner":         "id description ip_address active paused is_shared runner_type name online created_by created_at status job_execution_status",
		"runner_manager": "id system_id version revision platform architecture created_at contacted_at ip_address status job_execution_status",
		"project":        "ci_job_token_scope_enabled",
	} {
		within, ok := job, true
		if inside != "" {
			within, ok = job[inside].(map[string]any)
		}
		for _, key := range strings.Fields(keys) {
			if _, has := within[key]; !ok || !has {
				t.Errorf("%s lacks %s: %s", inside, key, body)
			}
		}
	}
	for _, want := range []string{`"coverage":81.25`, `"tag_list":["docker","linux"]`, `"archived":false`, `"parent_ids":[]`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is missing: %s", want, body)
		}
	}
	if details := ask(t, s.APIURL+"/projects/5/pipelines/500", credentials["private"]...).body; !strings.Contains(details, `"coverage":"81.25"`) {
		t.Errorf("of the pipeline: %s", details)
	}
	// A job that never ran has no runner, and a failed one has a reason.
	for id, want := range map[string]string{"5402": `"runner":null,"runner_manager":null`, "5302": `"failure_reason":"script_failure"`} {
		if got := ask(t, s.APIURL+"/projects/5/jobs/"+id, credentials["private"]...).body; !strings.Contains(got, want) {
			t.Errorf("%s: %s", id, got)
		}
	}
}

// Rows of artifacts[]: every report with its format, its name and the size that is
// served.
func TestArtifactRows(t *testing.T) {
	t.Parallel()
	s := start(t, gitlabtest.Options{})
	var job struct {
		Artifacts []struct {
			Type   string  `json:"file_type"`
			Size   int     `json:"size"`
			Name   string  `json:"filename"`
			Format *string `json:"file_format"`
		}
	}
	body := ask(t, s.APIURL+"/projects/5/jobs/5002", credentials["private"]...).body
	if err := json.Unmarshal([]byte(body), &job); err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, a := range job.Artifacts {
		format := "null"
		if a.Format != nil {
			format = *a.Format
		}
		rows = append(rows, a.Type+" "+a.Name+" "+format)
		if got := ask(t, s.APIURL+"/projects/5/jobs/5002/artifacts?file_type="+a.Type, credentials["private"]...); got.status == 200 && len(got.body) != a.Size {
			t.Errorf("%s: %d bytes, listed with %d", a.Type, len(got.body), a.Size)
		}
	}
	want := []string{
		"archive artifacts.zip zip", "metadata metadata.gz gzip", "junit junit.xml.gz gzip", "sast gl-sast-report.json raw", "lsif lsif.json.zip zip",
		"dotenv .env.gz gzip", "codequality gl-code-quality-report.json raw", "cobertura cobertura-coverage.xml.gz gzip", "terraform tfplan.json raw", "trace job.log null",
	}
	if !slices.Equal(rows, want) {
		t.Errorf("%q, want %q", rows, want)
	}
	// A report that is only named in Reports has 321 bytes, in its type's format.
	named := &gitlabtest.Job{Reports: []string{"junit", "sast", "lsif", "unheard-of"}}
	for _, a := range named.AllReports() {
		if len(a.Bytes()) != 321 {
			t.Errorf("%s: %d bytes", a.FileName(), len(a.Bytes()))
		}
	}
}

// ExtraFields appear in every entity of an answer, at any depth, but not in errors. IDs
// above 2^53 keep their digits.
func TestExtraFields(t *testing.T) {
	t.Parallel()
	world := gitlabtest.Fixture()
	const large = "9007199254740993"
	world.Projects[4].Pipelines[0].Jobs[0].ID = 9007199254740993
	s := gitlabtest.Start(world, gitlabtest.Options{ExtraFields: map[string]any{"unheard_of": map[string]int{"a": 1}, "status_since": nil}})
	t.Cleanup(s.Close)
	got := ask(t, s.APIURL+"/projects/5/jobs/"+large, credentials["private"]...).body
	// The job, its user, its commit, its pipeline, its runner with the creator, the
	// manager.
	if strings.Count(got, `"unheard_of":{"a":1}`) != 7 || strings.Count(got, `"status_since":null`) != 7 || !strings.Contains(got, `"id":`+large) {
		t.Errorf("a job: %s", got)
	}
	for path, want := range map[string]int{"pipelines?ref=main&status=manual": 1, "pipelines/500": 2, "pipelines/99": 0, "jobs?scope=x": 0} {
		if got := ask(t, s.APIURL+"/projects/5/"+path, credentials["private"]...).body; strings.Count(got, "unheard_of") != want {
			t.Errorf("%s: %s", path, got)
		}
	}
}

// Fields that some versions may have, which we couldn't confirm.
func TestUnconfirmedFields(t *testing.T) {
	t.Parallel()
	with := start(t, gitlabtest.Options{Since: map[string]string{"job source": "19.0", "pipeline merge_request": "19.0"}})
	without := start(t, gitlabtest.Options{})
	for path, field := range map[string]string{
		"jobs/5201":     `"source":"schedule"},"artifacts_file"`,
		"pipelines/570": `"merge_request":{"iid":3,"title":"A cart","web_url":"`,
	} {
		key, _, _ := strings.Cut(field, ":")
		count := func(s *gitlabtest.Running) int {
			return strings.Count(ask(t, s.APIURL+"/projects/5/"+path, credentials["private"]...).body, key+":")
		}
		if count(with) != count(without)+1 {
			t.Errorf("%s: %s", path, ask(t, with.APIURL+"/projects/5/"+path, credentials["private"]...).body)
		}
	}
}
