package cli

import (
	"testing"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/resolve"
)

// The keywords for pipelines mean the pipeline and the project in the running job's
// variables.
func TestPipelineWords(t *testing.T) {
	t.Parallel()
	own := env.Config{Project: "1", ProjectPath: "g/p", PipelineID: 30, PipelineSource: "push", ServerVersion: "18.8.1"}
	child, multi, old := own, own, own
	child.PipelineSource, child.UpstreamPipeline, child.UpstreamProject = "parent_pipeline", 20, "1"
	multi.PipelineSource, multi.UpstreamPipeline, multi.UpstreamProject = "pipeline", 40, "8"
	old.PipelineSource = "parent_pipeline"
	unknown := own
	unknown.PipelineSource = ""
	for _, tt := range []struct {
		name    string
		cfg     env.Config
		project string // --project
		word    string
		want    resolve.Query // only the project, the pipeline and whether its root is meant
		usage   string
	}{
		{"a parent", child, "", "upstream", resolve.Query{Project: "1", PipelineID: 20}, ""},
		{"a parent, in the own project", child, "1", "upstream", resolve.Query{Project: "1", PipelineID: 20}, ""},
		{"a parent, in the own project by its path", child, "G/p", "upstream", resolve.Query{Project: "G/p", PipelineID: 20}, ""},
		{"a parent, in another project", child, "8", "upstream", resolve.Query{}, "is a pipeline of project 1, and --project says 8"},
		{"a parent, in another project by its path", child, "g/q", "upstream", resolve.Query{}, "is a pipeline of project 1, and --project says g/q"},
		{"another project's", multi, "", "upstream", resolve.Query{Project: "8", PipelineID: 40}, ""},
		{"another project's, by what may be its path", multi, "g/q", "upstream", resolve.Query{Project: "g/q", PipelineID: 40}, ""},
		{"another project's, in the own", multi, "1", "upstream", resolve.Query{}, "is a pipeline of project 8, and --project says 1"},
		{"another project's, in the own by its path", multi, "g/p", "upstream", resolve.Query{}, "is a pipeline of project 8, and --project says g/p"},
		{"another project's, in a third", multi, "9", "upstream", resolve.Query{}, "--project says 9"},
		{"a parent, by a path where the own isn't known", env.Config{Project: "1", PipelineID: 30, UpstreamPipeline: 20, UpstreamProject: "1"}, "g/p", "upstream", resolve.Query{Project: "g/p", PipelineID: 20}, ""},
		{"none", own, "", "upstream", resolve.Query{}, "no other pipeline triggered this one (CI_PIPELINE_SOURCE is push)"},
		{"a parent that an old server doesn't name", old, "", "upstream", resolve.Query{}, "GitLab sets it since 18.9, and this server's version is 18.8.1"},
		{"what isn't known", unknown, "", "upstream", resolve.Query{}, "since 18.9"},
		{"upstream outside a job", env.Config{}, "1", "upstream", resolve.Query{}, "CI_UPSTREAM_PIPELINE_ID is not set"},

		{"the root of a child", child, "", "root", resolve.Query{Project: "1", PipelineID: 20, Root: true}, ""},
		{"the root of a child on an old server", old, "", "root", resolve.Query{Project: "1", PipelineID: 30, Root: true}, ""},
		{"the root of what isn't a child", own, "", "root", resolve.Query{Project: "1", PipelineID: 30}, ""},
		{"the root of what another project triggered", multi, "", "root", resolve.Query{Project: "1", PipelineID: 30}, ""},
		{"the root of what may be a child", unknown, "", "root", resolve.Query{Project: "1", PipelineID: 30, Root: true}, ""},
		{"the root in another project", multi, "8", "root", resolve.Query{}, "--pipeline root is a pipeline of project 1, and --project says 8"},
		{"the root outside a job", env.Config{}, "1", "root", resolve.Query{}, "CI_PIPELINE_ID is not set"},
	} {
		q := resolve.Query{Project: tt.project}
		err := pipelineIn(tt.word)(tt.cfg, &q)
		switch {
		case tt.usage != "":
			wantUsage(t, tt.name, err, tt.usage)
		case err != nil || q.Project != tt.want.Project || q.PipelineID != tt.want.PipelineID || q.Root != tt.want.Root:
			t.Errorf("%s: %+v, %v", tt.name, q, err)
		}
	}
}
