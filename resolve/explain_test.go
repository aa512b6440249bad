package resolve_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// The cause of an error is found with few requests, and reported with the server's data
// and one remedy.
func TestExplain(t *testing.T) {
	t.Parallel()
	main := func(id int64, status string) gitlab.Pipeline {
		return gitlab.Pipeline{ID: id, Ref: "main", Status: status, Source: "push", WebURL: fmt.Sprintf("https://g/%d", id)}
	}
	query := resolve.Query{Project: "7", Ref: "main", Jobs: []string{"build"}}
	noSuccess := func(q resolve.Query) error { return &resolve.NotFoundError{Query: q, What: "successful pipeline"} }
	noJob := func(q resolve.Query) error { return &resolve.NotFoundError{Query: q, What: "job", Job: "build"} }
	noProject := &resolve.NotFoundError{Query: query, What: "project", Err: falseOne}
	old := []gitlab.Pipeline{main(9, "success"), main(8, "failed"), main(7, "success"), main(6, "success"), main(5, "success"), main(4, "success"), main(3, "success")}
	tests := []struct {
		name     string
		api      server
		private  bool // the token is not a job's
		query    resolve.Query
		err      error
		evidence []string
		remedy   resolve.Remedy
		pipeline int64
		reason   resolve.Reason
		asked    []string
	}{
		{
			name: "the newest pipeline runs", api: server{pipelines: []gitlab.Pipeline{main(9, "running")}}, query: query, err: noSuccess(query),
			evidence: []string{`the newest pipeline of "main" is 9: running https://g/9`}, remedy: resolve.RemedyWait, reason: resolve.ReasonNoSuccess,
			asked: []string{"pipelines ref=main sha= status="},
		},
		{
			name: "the newest pipeline has failed", api: server{pipelines: []gitlab.Pipeline{main(9, "failed")}}, query: query, err: noSuccess(query),
			evidence: []string{`the newest pipeline of "main" is 9: failed https://g/9`}, reason: resolve.ReasonNoSuccess, remedy: resolve.RemedyAny,
			asked: []string{"pipelines ref=main sha= status="},
		},
		{
			name: "the ref has no pipeline, another does", api: server{pipelines: []gitlab.Pipeline{{ID: 9, Ref: "mian"}, {ID: 8, Ref: "release"}}}, query: query, err: noSuccess(query),
			evidence: []string{`no pipeline of ref "main" at all`, `refs that have pipelines: mian`}, reason: resolve.ReasonNoSuccess,
			asked: []string{"pipelines ref=main sha= status=", "pipelines ref= sha= status="},
		},
		{
			name: "no pipeline at all", query: query, err: noSuccess(query),
			evidence: []string{`no pipeline of ref "main" at all`}, reason: resolve.ReasonNoSuccess,
			asked: []string{"pipelines ref=main sha= status=", "pipelines ref= sha= status="},
		},
		{
			name: "pipelines may not be listed", api: server{refuse: denied}, query: query, err: noSuccess(query), reason: resolve.ReasonNoSuccess,
			asked: []string{"pipelines ref=main sha= status="}, // and remembered
		},
		{name: "a pipeline that doesn't exist", query: resolve.Query{Project: "7", PipelineID: 9}, err: &resolve.NotFoundError{What: "pipeline"}, reason: resolve.ReasonNoPipeline, asked: []string{"job 9", "pipelines ref= sha= status="}},
		{
			name: "a failed pipeline has the job", query: query, err: noJob(query),
			api:      server{pipelines: []gitlab.Pipeline{main(9, "failed"), main(8, "success")}, jobs: map[int64][]gitlab.Job{9: {{Name: "test"}, {Name: "build", Status: "success", ArtifactsFile: &gitlab.ArtifactsFile{Size: 1}}}, 8: {{Name: "lint"}}}},
			evidence: []string{`pipeline 9 (failed) has the jobs build, test`, "pipeline 9 (failed) has it: https://g/9"}, remedy: resolve.RemedyPipeline, pipeline: 9, reason: resolve.ReasonNoJob,
			asked: []string{"pipelines ref=main sha= status=", "jobs of 9"},
		},
		{
			name: "an older successful pipeline has the job", query: query, err: noJob(query),
			api:      server{pipelines: []gitlab.Pipeline{main(9, "success"), main(8, "success")}, jobs: map[int64][]gitlab.Job{9: {{Name: "build", Status: "failed", ArtifactsFile: &gitlab.ArtifactsFile{Size: 1}}, {Name: "build", Status: "success"}}, 8: {{Name: "build", Status: "success", ArtifactsFile: &gitlab.ArtifactsFile{Size: 1}}}}},
			evidence: []string{`pipeline 9 (success) has the jobs build`, "pipeline 8 (success) has it: https://g/8"}, remedy: resolve.RemedyRecent, pipeline: 8, reason: resolve.ReasonNoJob,
			asked: []string{"pipelines ref=main sha= status=", "jobs of 9", "jobs of 8"},
		},
		{
			name: "no pipeline has the job, as far as is looked", api: server{pipelines: old}, query: query, err: noJob(query),
			evidence: []string{"pipeline 9 (success) has the jobs (none)"}, reason: resolve.ReasonNoJob,
			asked: []string{"pipelines ref=main sha= status=", "jobs of 9", "jobs of 8", "jobs of 7", "jobs of 6", "jobs of 5"},
		},
		{
			name: "the number of a job", api: server{single: map[int64]gitlab.Job{9: {ID: 9, Name: "a, b", Pipeline: gitlab.Pipeline{ID: 3}}}},
			query: resolve.Query{Project: "7", PipelineID: 9}, err: &resolve.NotFoundError{What: "pipeline"},
			evidence: []string{`9 is the number of job "a, b" in pipeline 3`}, remedy: resolve.RemedyJob, reason: resolve.ReasonNoPipeline, asked: []string{"job 9"},
		},
		{
			name: "a person has to play a job", query: query, err: noSuccess(query),
			api: server{pipelines: []gitlab.Pipeline{main(9, "manual")}, jobs: map[int64][]gitlab.Job{9: {
				{ID: 1, Name: "may", Status: "manual", AllowFailure: true}, {ID: 2, Name: "must", Status: "manual"}, {ID: 3, Name: "done", Status: "success"},
			}}},
			evidence: []string{`the newest pipeline of "main" is 9: manual`, "job must (2) blocks it"}, remedy: resolve.RemedyPlay, reason: resolve.ReasonNoSuccess,
			asked: []string{"pipelines ref=main sha= status=", "jobs of 9"},
		},
		{
			name: "the pipeline that was searched is known", query: resolve.Query{Project: "7", PipelineID: 9, Jobs: []string{"x"}},
			err:      &resolve.NotFoundError{What: "job", Job: "x", Pipeline: 9, Names: []string{"b", "a, c", "b", " d"}},
			evidence: []string{`pipeline 9 was searched, with its children; the jobs there are " d", "a, c", b`}, reason: resolve.ReasonNoJob,
		},
		{name: "a job of no ref", query: resolve.Query{Project: "7", JobID: 5}, err: &resolve.NotFoundError{What: "job id"}, reason: resolve.ReasonNoJob},
		{
			name: "the job token is of another project", query: query, err: noProject,
			api:      server{current: gitlab.Job{ID: 5, Name: "deploy", Pipeline: gitlab.Pipeline{ProjectID: 8}}},
			evidence: []string{`the job token is alive: job "deploy" (5) of project 8`}, reason: resolve.ReasonProject, asked: []string{"the token's job"},
		},
		{
			name: "the job token's own project is denied", query: query, err: noProject,
			api:      server{current: gitlab.Job{ID: 5, Name: "deploy", Pipeline: gitlab.Pipeline{ProjectID: 7}}},
			evidence: []string{`the job token is alive: job "deploy" (5) of project 7`, "GitLab denies this token its own project"}, remedy: resolve.RemedyLicence, reason: resolve.ReasonLicence,
			asked: []string{"the token's job"},
		},
		{
			name: "the job token is dead", query: query, err: &resolve.RefusedError{Err: nobody},
			evidence: []string{"the job token is dead"}, remedy: resolve.RemedyToken, reason: resolve.ReasonToken, asked: []string{"the token's job"},
		},
		{
			name: "a list is closed to the token", query: query, err: &resolve.ClosedError{Query: query, Err: denied},
			api:      server{current: gitlab.Job{ID: 5, Pipeline: gitlab.Pipeline{ProjectID: 7}}},
			evidence: []string{"the job token is alive"}, reason: resolve.ReasonClosed, asked: []string{"the token's job"},
		},
		{name: "a user's token has no job", private: true, query: query, err: &resolve.RefusedError{Err: nobody}, reason: resolve.ReasonToken},
		{name: "forbidden", query: query, err: &resolve.RefusedError{Err: denied}, reason: resolve.ReasonForbidden},
		{name: "not a refusal", query: query, err: errors.New("x")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := resolve.New(resolve.Options{API: &tt.api, JobToken: !tt.private})
			x := r.Explain(t.Context(), tt.query, tt.err)
			if x.Cause != tt.err.Error() || x.Reason != tt.reason || x.Remedy != tt.remedy || x.PipelineID != tt.pipeline {
				t.Errorf("%+v, want %s, %q of pipeline %d", x, tt.reason, tt.remedy, tt.pipeline)
			}
			if !slices.EqualFunc(x.Evidence, tt.evidence, strings.HasPrefix) {
				t.Errorf("evidence %q, want %q", x.Evidence, tt.evidence)
			}
			if !slices.Equal(tt.api.asked, tt.asked) {
				t.Errorf("asked for %q, want %q", tt.api.asked, tt.asked)
			}
		})
	}
}
