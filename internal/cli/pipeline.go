package cli

import (
	"cmp"
	"fmt"
	"strings"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/internal/webaddress"
	"gitlab.com/artifetch/artifetch/resolve"
)

// pipelineWords are words that stand for a pipeline.
var pipelineWords = []string{"current", "upstream", "root", "latest"}

// pipelineIn parses a pipeline: a number, an address or one of [pipelineWords].
func pipelineIn(value string) func(env.Config, *resolve.Query) error {
	return func(cfg env.Config, q *resolve.Query) error {
		switch {
		case value == "":
			return nil
		case value == "latest":
			q.Latest = true
			return nil
		case value == "current":
			if q.PipelineID = cfg.PipelineID; q.PipelineID == 0 {
				return usage("--pipeline current: CI_PIPELINE_ID is not set", "it is the running job's pipeline; elsewhere give its number")
			}
			return nil
		case value == "upstream":
			return upstreamIn(cfg, q)
		case value == "root":
			return rootIn(cfg, q)
		case webaddress.Is(value):
			return pipelineAt(value, cfg, q)
		}
		var err error
		if q.PipelineID, err = webaddress.ID(value); err != nil {
			return unknownPipeline(value)
		}
		return nil
	}
}

// pipelineAt parses a pipeline's address, which also says the project.
func pipelineAt(address string, cfg env.Config, q *resolve.Query) error {
	w, err := webaddress.Parse(address, cfg.APIURL)
	if err == nil && w.PipelineID == 0 {
		err = usage("--pipeline: no pipeline in "+address, "a pipeline's address ends in /-/pipelines/NUMBER")
	}
	if q.Project == "" {
		q.Project = w.Project
	}
	q.PipelineID = w.PipelineID
	return err
}

func unknownPipeline(value string) error {
	hint := "give the number in the pipeline's address, the address, or current, upstream (the pipeline that triggered this one), root or latest"
	if number, found := strings.CutPrefix(value, "#"); found {
		hint = "write the number without the #: --pipeline " + number
	}
	return usage(fmt.Sprintf("--pipeline %q is unknown", value), hint)
}

// byHand says how to pass on the number of the upstream pipeline if GitLab sets no
// variable.
const byHand = `give the trigger job "variables: {PARENT_PIPELINE_ID: $CI_PIPELINE_ID}", and here --pipeline "$PARENT_PIPELINE_ID"`

// upstreamIn selects the pipeline that triggered the running one: the parent of a child
// pipeline, or one in another project.
// https://docs.gitlab.com/ci/variables/predefined_variables/
func upstreamIn(cfg env.Config, q *resolve.Query) error {
	triggered := cfg.PipelineSource == "parent_pipeline" || cfg.PipelineSource == "pipeline"
	switch {
	case cfg.UpstreamPipeline > 0:
		q.PipelineID = cfg.UpstreamPipeline
		return inProject(cfg, q, "upstream", cfg.UpstreamProject)
	case cfg.PipelineID == 0:
		return usage("--pipeline upstream: CI_UPSTREAM_PIPELINE_ID is not set", "it is the pipeline that triggered the running job's; elsewhere give its number")
	case !triggered && cfg.PipelineSource != "":
		return usage("--pipeline upstream: no other pipeline triggered this one (CI_PIPELINE_SOURCE is "+cfg.PipelineSource+")", "use it in child pipelines, and in those that another project triggers")
	}
	server := cmp.Or(cfg.ServerVersion, "unknown")
	return usage("--pipeline upstream: CI_UPSTREAM_PIPELINE_ID is not set; GitLab sets it since 18.9, and this server's version is "+server, byHand+"; if it is of another project, also --project")
}

// rootIn selects the root of the running pipeline's parent-child hierarchy, which is the
// running pipeline itself unless it is a child.
func rootIn(cfg env.Config, q *resolve.Query) error {
	if cfg.PipelineID == 0 {
		return usage("--pipeline root: CI_PIPELINE_ID is not set", "it is the pipeline at the top, above the running job's; elsewhere give its number")
	}
	q.PipelineID = cfg.PipelineID
	switch cfg.PipelineSource {
	case "parent_pipeline":
		q.Root = true
		if cfg.UpstreamPipeline > 0 {
			q.PipelineID = cfg.UpstreamPipeline
		}
	case "":
		q.Root = true // we don't know yet whether it is a child
	}
	return inProject(cfg, q, "root", cfg.Project)
}

// inProject sets a pipeline's project by its ID, unless --project names one. --project
// must name the same project; only GitLab knows whether a path does.
func inProject(cfg env.Config, q *resolve.Query, word, project string) error {
	own := project == cfg.Project
	isOwn := q.Project == cfg.Project || strings.EqualFold(q.Project, cfg.ProjectPath)
	isPath := strings.Contains(q.Project, "/")
	switch {
	case q.Project == "":
		q.Project = project
		return nil
	case project == "", q.Project == project, own && isOwn, isPath && (cfg.ProjectPath == "" || !own && !isOwn):
		return nil
	}
	return usage(fmt.Sprintf("--pipeline %s is a pipeline of project %s, and --project says %s", word, project, q.Project), "leave out --project")
}

// previousIn reads --previous: the pipelines before the running one. A child pipeline
// runs after its own parent, which has the same commit.
func (o queryOptions) previousIn(cfg env.Config, q *resolve.Query) error {
	if !o.previous {
		return nil
	}
	if q.Before = cfg.PipelineID; q.Before == 0 {
		return usage("--previous: CI_PIPELINE_ID is not set", "it is the running job's pipeline; elsewhere, --ref alone means the newest successful one")
	}
	if cfg.PipelineSource == "parent_pipeline" {
		q.Besides = cfg.SHA
	}
	return nil
}

// baseIn reads --base: the commit that the running merge request pipeline's changes are
// compared with. Its pipelines belong to the merge request's project, which isn't the
// job's own if the merge request comes from a fork.
func (o queryOptions) baseIn(cfg env.Config, q *resolve.Query) error {
	if !o.base {
		return nil
	}
	if q.Base = cfg.BaseSHA; q.Base == "" {
		return usage("--base: CI_MERGE_REQUEST_DIFF_BASE_SHA is not set", `GitLab sets it in merge request pipelines; elsewhere: --sha "$(git merge-base origin/main HEAD)"`)
	}
	q.Project = cmp.Or(q.Project, cfg.BaseProject)
	return nil
}
