package resolve_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gitlab.com/artifetch/artifetch/resolve"
)

const fullSHA = "0123456789abcdef0123456789abcdef01234567"

// A query names its jobs in one way: by ID, or by name in one pipeline or in those of a
// ref. Errors name the fields: first conflicts, then missing fields, then invalid values.
func TestValidate(t *testing.T) {
	t.Parallel()
	byName := resolve.Query{Project: "7", Ref: "main", Jobs: []string{"build"}}
	with := func(change func(q *resolve.Query)) resolve.Query {
		q := byName
		change(&q)
		return q
	}
	exact := func(change func(q *resolve.Query)) resolve.Query {
		return with(func(q *resolve.Query) { q.Ref = ""; change(q) })
	}
	tests := []struct {
		name    string
		query   resolve.Query
		problem resolve.Problem // empty: the query is fine
		fields  string
	}{
		{"by ref", byName, "", ""},
		{"by id", resolve.Query{Project: "7", JobID: 5}, "", ""},
		{"by id, where options don't matter", resolve.Query{Project: "7", JobID: 5, Recent: true, AnyStatus: true}, "", ""},
		{"in a pipeline", resolve.Query{Project: "7", PipelineID: 9, Jobs: []string{"a", "b"}}, "", ""},
		{"of a commit", resolve.Query{Project: "7", SHA: fullSHA, Jobs: []string{"a"}}, "", ""},
		{"of a commit by its SHA-256", resolve.Query{Project: "7", SHA: strings.Repeat("ab", 32), Jobs: []string{"a"}}, "", ""},
		{"of a merge request", resolve.Query{Project: "7", MergeRequest: 3, Jobs: []string{"a"}}, "", ""},
		{"in the newest pipeline", with(func(q *resolve.Query) { q.Latest = true }), "", ""},
		{"in the first of several refs", with(func(q *resolve.Query) { q.MoreRefs = []string{"next"} }), "", ""},
		{"in the newest pipelines of several refs", with(func(q *resolve.Query) { q.MoreRefs, q.Latest = []string{"next"}, true }), "", ""},
		{"recent", with(func(q *resolve.Query) { q.Recent, q.MaxAge = true, time.Hour }), "", ""},
		{"in any pipeline", with(func(q *resolve.Query) { q.AnyPipeline, q.MaxAge, q.RequireSuccess = true, time.Hour, true }), "", ""},
		{"before a pipeline", with(func(q *resolve.Query) { q.Before, q.Recent = 9, true }), "", ""},
		{"by sources", with(func(q *resolve.Query) { q.Sources, q.Latest = []string{"push", "!web"}, true }), "", ""},
		{"of a base commit", resolve.Query{Project: "7", Base: fullSHA, Jobs: []string{"a"}, Sources: []string{"push"}}, "", ""},

		{"nothing", resolve.Query{}, resolve.ProblemMissing, "Project Jobs Ref"},
		{"no project", resolve.Query{JobID: 5}, resolve.ProblemMissing, "Project"},
		{"no job", resolve.Query{Project: "7", Ref: "main"}, resolve.ProblemMissing, "Jobs"},
		{"no ref", resolve.Query{Project: "7", Jobs: []string{"a"}}, resolve.ProblemMissing, "Ref"},
		{"the newest pipeline of no ref", resolve.Query{Project: "7", Jobs: []string{"a"}, Latest: true}, resolve.ProblemMissing, "Ref"},
		{"only a pipeline", resolve.Query{Project: "7", PipelineID: 9}, resolve.ProblemMissing, "Jobs"},

		{"a ref and a pipeline", with(func(q *resolve.Query) { q.PipelineID = 9 }), resolve.ProblemConflict, "PipelineID Ref"},
		{"a ref and the root of a pipeline", with(func(q *resolve.Query) { q.PipelineID, q.Root = 9, true }), resolve.ProblemConflict, "PipelineID Ref"},
		{"a ref and a commit", with(func(q *resolve.Query) { q.SHA = fullSHA }), resolve.ProblemConflict, "SHA Ref"},
		{"a ref and a merge request", with(func(q *resolve.Query) { q.MergeRequest = 3 }), resolve.ProblemConflict, "MergeRequest Ref"},
		{"a ref and a base commit", with(func(q *resolve.Query) { q.Base = fullSHA }), resolve.ProblemConflict, "Base Ref"},
		{"id and names", with(func(q *resolve.Query) { q.JobID = 5 }), resolve.ProblemConflict, "JobID Jobs Ref"},
		{"id and ref", resolve.Query{Project: "7", JobID: 5, Ref: "main"}, resolve.ProblemConflict, "JobID Ref"},
		{"id and pipeline", resolve.Query{Project: "7", JobID: 5, PipelineID: 9}, resolve.ProblemConflict, "JobID PipelineID"},
		{"commit and merge request", exact(func(q *resolve.Query) { q.SHA, q.MergeRequest = fullSHA, 3 }), resolve.ProblemConflict, "SHA MergeRequest"},
		{"commit and newest", with(func(q *resolve.Query) { q.SHA, q.Latest = fullSHA, true }), resolve.ProblemConflict, "Latest SHA"},
		{"a conflict before what is missing", resolve.Query{SHA: "abc", MergeRequest: 3}, resolve.ProblemConflict, "SHA MergeRequest"},
		{"several refs and a pipeline", with(func(q *resolve.Query) { q.MoreRefs, q.PipelineID = []string{"next"}, 9 }), resolve.ProblemConflict, "PipelineID Ref"},
		{"several refs and a merge request", with(func(q *resolve.Query) { q.MoreRefs, q.MergeRequest = []string{"next"}, 3 }), resolve.ProblemConflict, "MergeRequest Ref"},
		{"recent in one pipeline", exact(func(q *resolve.Query) { q.PipelineID, q.Recent = 9, true }), resolve.ProblemConflict, "PipelineID Recent"},
		{"recent and newest", with(func(q *resolve.Query) { q.Latest, q.Recent = true, true }), resolve.ProblemConflict, "Latest Recent"},
		{"recent in any pipeline", with(func(q *resolve.Query) { q.AnyPipeline, q.Recent = true, true }), resolve.ProblemConflict, "AnyPipeline Recent"},
		{"any pipeline, and one", exact(func(q *resolve.Query) { q.AnyPipeline, q.PipelineID = true, 9 }), resolve.ProblemConflict, "PipelineID AnyPipeline"},
		{"before a pipeline, and of a commit", exact(func(q *resolve.Query) { q.Before, q.SHA = 9, fullSHA }), resolve.ProblemConflict, "SHA Before"},
		{"base and commit", exact(func(q *resolve.Query) { q.Base, q.SHA = fullSHA, fullSHA }), resolve.ProblemConflict, "SHA Base"},
		{"good and any status", with(func(q *resolve.Query) { q.AnyPipeline, q.AnyStatus = true, true }), resolve.ProblemConflict, "AnyPipeline AnyStatus"},
		{"base and any status", exact(func(q *resolve.Query) { q.Base, q.AnyStatus = fullSHA, true }), resolve.ProblemConflict, "Base AnyStatus"},
		{"success and any status", with(func(q *resolve.Query) { q.RequireSuccess, q.AnyStatus = true, true }), resolve.ProblemConflict, "RequireSuccess AnyStatus"},
		{"id and what searches", resolve.Query{Project: "7", JobID: 5, AnyPipeline: true, Before: 9, Sources: []string{"push"}, RequireSuccess: true}, resolve.ProblemConflict, "JobID AnyPipeline Before Sources RequireSuccess"},
		{"a pipeline's source", resolve.Query{Project: "7", PipelineID: 9, Jobs: []string{"a"}, Sources: []string{"push"}}, resolve.ProblemConflict, "PipelineID Sources"},
		{"any pipeline of no ref", resolve.Query{Project: "7", Jobs: []string{"a"}, AnyPipeline: true}, resolve.ProblemMissing, "Ref"},
		{"an age without recent", with(func(q *resolve.Query) { q.MaxAge = time.Hour }), resolve.ProblemAlone, "MaxAge Recent"},

		{"a short SHA", exact(func(q *resolve.Query) { q.SHA = fullSHA[:12] }), resolve.ProblemInvalid, "SHA"},
		{"a SHA of another length", exact(func(q *resolve.Query) { q.SHA = fullSHA + "00" }), resolve.ProblemInvalid, "SHA"},
		{"a SHA of other letters", exact(func(q *resolve.Query) { q.SHA = strings.Repeat("g", 40) }), resolve.ProblemInvalid, "SHA"},
		{"a short base", exact(func(q *resolve.Query) { q.Base = fullSHA[:12] }), resolve.ProblemInvalid, "Base"},
		{"before a negative pipeline", with(func(q *resolve.Query) { q.Before = -1 }), resolve.ProblemInvalid, "Before"},
		{"a source that isn't one", with(func(q *resolve.Query) { q.Sources = []string{"push", "pull"} }), resolve.ProblemInvalid, "Sources"},
		{"no source's name", with(func(q *resolve.Query) { q.Sources = []string{"!"} }), resolve.ProblemInvalid, "Sources"},
		{"a source both ways", with(func(q *resolve.Query) { q.Sources = []string{"!push", "push"} }), resolve.ProblemInvalid, "Sources"},
		{"child pipelines", with(func(q *resolve.Query) { q.Sources = []string{"parent_pipeline"} }), resolve.ProblemInvalid, "Sources"},
		{"a negative merge request", exact(func(q *resolve.Query) { q.MergeRequest = -1 }), resolve.ProblemInvalid, "MergeRequest"},
		{"a negative pipeline", exact(func(q *resolve.Query) { q.PipelineID = -1 }), resolve.ProblemInvalid, "PipelineID"},
		{"a negative id", resolve.Query{Project: "7", JobID: -1}, resolve.ProblemInvalid, "JobID"},
	}
	for _, tt := range tests {
		checkQueryError(t, tt.name, tt.query.Validate(), tt.problem, tt.fields)
	}
}

func TestValidateList(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		query   resolve.Query
		problem resolve.Problem
		fields  string
	}{
		{"of the project", resolve.Query{Project: "7"}, "", ""},
		{"of a ref", resolve.Query{Project: "7", Ref: "main"}, "", ""},
		{"of a pipeline", resolve.Query{Project: "7", PipelineID: 9}, "", ""},
		{"of the newest pipeline", resolve.Query{Project: "7", Ref: "main", Latest: true}, "", ""},
		{"no project", resolve.Query{Ref: "main"}, resolve.ProblemMissing, "Project"},
		{"of a pipeline and a ref", resolve.Query{Project: "7", Ref: "main", PipelineID: 9}, resolve.ProblemConflict, "Ref PipelineID"},
		{"by source", resolve.Query{Project: "7", Sources: []string{"parent_pipeline"}}, "", ""},
		{"of a pipeline, by source", resolve.Query{Project: "7", PipelineID: 9, Sources: []string{"push"}}, resolve.ProblemConflict, "PipelineID Sources"},
		{"by a source that isn't one", resolve.Query{Project: "7", Sources: []string{"nightly"}}, resolve.ProblemInvalid, "Sources"},
		{"of the newest pipeline of no ref", resolve.Query{Project: "7", Latest: true}, resolve.ProblemMissing, "Ref"},
	}
	for _, tt := range tests {
		checkQueryError(t, tt.name, tt.query.ValidateList(), tt.problem, tt.fields)
	}
}

func checkQueryError(t *testing.T, name string, err error, problem resolve.Problem, fields string) {
	t.Helper()
	if problem == "" {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		return
	}
	e, ok := errors.AsType[*resolve.QueryError](err)
	if !ok {
		t.Errorf("%s: %v, want %s: %s", name, err, fields, problem)
		return
	}
	got := make([]string, len(e.Fields))
	for i, field := range e.Fields {
		got[i] = string(field)
	}
	if e.Problem != problem || strings.Join(got, " ") != fields {
		t.Errorf("%s: %v, want %s: %s", name, err, fields, problem)
	}
	if want := "query: " + strings.ReplaceAll(fields, " ", ", ") + ": " + string(problem); err.Error() != want {
		t.Errorf("%s: %s", name, cmp.Diff(want, err.Error()))
	}
}
