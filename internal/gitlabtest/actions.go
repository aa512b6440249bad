package gitlabtest

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/answer"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/feature"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/world"
)

// needs checks that the caller has at least this role. If not, it writes the answer and
// returns false.
func (c *call) needs(role string) bool {
	if c.caller.AtLeast(c.project, role) {
		return true
	}
	answer.Forbidden(c.w, "")
	return false
}

// cancel is POST …/cancel. It returns a job that can't be canceled unchanged. Maintainers
// can use force if the job is "canceling".
func (c *call) cancel(project, id string) {
	query, _, ok := c.parameters()
	if !ok {
		return
	}
	force, ok := answer.Boolean(c.w, query, "force")
	if !ok || !c.act(project, id, "") || !c.needs("developer") {
		return
	}
	job, pipeline := c.findJob()
	if job == nil || force && !c.needs("maintainer") {
		return
	}
	switch status := job.State(); {
	case force && status == "canceling", !force && slices.Contains(world.Cancelable, status) && (status != "running" || !job.Graceful):
		job.Status, job.FinishAfter = "canceled", 0
		c.s.world.Ended(job, pipeline)
	case !force && status == "running":
		job.Status = "canceling"
	}
	answer.Respond(c.w, http.StatusCreated, c.entities().Job(job, pipeline))
}

// retryable is Ci::Processable#retryable? (app/models/ci/processable.rb).
func retryable(status string, retried bool) bool {
	return !retried && slices.Contains([]string{"success", "failed", "canceled", "canceling"}, status)
}

// retry is POST …/retry, for trigger jobs too. The new job gets its own ID and dates, and
// the pipeline runs again. Invalid inputs are refused with 400 (U):
// app/services/ci/retry_job_service.rb treats them differently from a job that can't be
// retried, but we couldn't check the API's answer.
func (c *call) retry(project, id string) {
	given, ok := c.inputs()
	if !ok || !c.act(project, id, "") {
		return
	}
	job, pipeline := c.project.Job(c.id)
	bridge, of := c.project.Bridge(c.id)
	switch {
	case job == nil && bridge == nil:
		answer.RecordNotFound(c.w)
	case !c.needs("developer"):
	case job != nil && job.Archived:
		answer.Forbidden(c.w, "")
	case job != nil && retryable(job.State(), job.Retried):
		kept, err := job.GiveInputs(given)
		if err != nil {
			answer.BadRequest(c.w, err.Error())
			return
		}
		again := c.s.world.Retry(job, pipeline, c.s.opts.Now())
		again.GivenInputs = job.GivenInputs
		if len(given) > 0 {
			again.GivenInputs = kept
		}
		answer.Respond(c.w, http.StatusCreated, c.entities().Job(again, pipeline))
	case bridge != nil && retryable(bridge.State(), bridge.Retried):
		again := *bridge // the child stays with the retried bridge
		again.ID, again.Status, again.Child, again.Downstream = c.s.world.NextJobID(), "pending", nil, nil
		again.CreatedAt = c.s.opts.Now()
		bridge.Retried = true
		of.Bridges = append(of.Bridges, &again)
		of.Reopen()
		answer.Respond(c.w, http.StatusCreated, c.entities().Job(again.AsJob(), of))
	default:
		answer.Forbidden(c.w, "Job is not retryable")
	}
}

// erase is POST …/erase. It deletes the archive, the reports and the log.
func (c *call) erase(project, id string) {
	if !c.act(project, id, "") {
		return
	}
	job, pipeline := c.findJob()
	if job == nil {
		return
	}
	hasSomething := job.Log() != "" || job.HasArchive() || len(job.AllReports()) > 0
	switch {
	case !c.caller.MayErase(c.project, job, pipeline):
		answer.Forbidden(c.w, "")
	case !job.Finished() || !hasSomething:
		answer.Forbidden(c.w, "Job is not erasable!")
	case c.refreshing():
	default:
		job.RemoveFiles()
		job.Trace, job.Erased = "", true
		answer.Respond(c.w, http.StatusCreated, c.entities().Job(job, pipeline))
	}
}

// play is POST …/play, for trigger jobs too.
func (c *call) play(project, id string) {
	variables, ok := c.variables()
	if !ok {
		return
	}
	given, ok := c.inputs()
	if !ok || !c.act(project, id, "") {
		return
	}
	job, pipeline := c.project.Job(c.id)
	bridge, of := c.project.Bridge(c.id)
	playable := func(status string) bool { return status == "manual" || status == "scheduled" }
	switch {
	case job == nil && bridge == nil:
		answer.RecordNotFound(c.w)
	case !c.needs("developer"):
	case job != nil && job.Archived:
		answer.Forbidden(c.w, "")
	case job != nil && playable(job.State()):
		kept, err := job.GiveInputs(given)
		if err != nil {
			answer.BadRequest(c.w, err.Error()) // (U), as in retry
			return
		}
		job.Status, job.User = "pending", c.caller.User()
		if len(variables) > 0 {
			job.Variables = maps.Clone(variables)
		}
		if len(given) > 0 {
			job.GivenInputs = kept
		}
		pipeline.Reopen()
		answer.Respond(c.w, http.StatusOK, c.entities().Job(job, pipeline))
	case bridge != nil && playable(bridge.State()):
		bridge.Status = "pending"
		of.Reopen()
		answer.Respond(c.w, http.StatusOK, c.entities().Bridge(bridge, of))
	default:
		answer.BadRequest(c.w, "Unplayable Job")
	}
}

// parameters reads the query and the body, once the caller is known to be a user. The
// body can be read again.
func (c *call) parameters() (url.Values, map[string]any, bool) {
	if !c.authenticated("") {
		return nil, nil, false
	}
	return answer.Parameters(c.w, c.r)
}

// variables reads job_variables_attributes, which requires both key and value.
func (c *call) variables() (map[string]string, bool) {
	values, _, ok := c.parameters()
	if !ok {
		return nil, false
	}
	const list = "job_variables_attributes"
	keys, contents := values[list+"[][key]"], values[list+"[][value]"]
	for i := range max(len(keys), len(contents)) {
		for _, part := range []struct {
			name  string
			given []string
		}{{"key", keys}, {"value", contents}} {
			if i >= len(part.given) {
				answer.Invalid(c.w, fmt.Sprintf("%s[%d][%s] is missing", list, i, part.name))
				return nil, false
			}
		}
	}
	variables := map[string]string{}
	for i, key := range keys {
		variables[strings.TrimSpace(key)] = contents[i]
	}
	return variables, true
}

// inputs reads job_inputs: with types from JSON, as strings from a form. Older versions
// ignore it. https://docs.gitlab.com/api/jobs/#run-a-job
func (c *call) inputs() (map[string]any, bool) {
	values, object, ok := c.parameters()
	if !ok || !c.s.has(feature.JobInputs) {
		return nil, ok
	}
	given := map[string]any{}
	for name, value := range values {
		inner, found := strings.CutPrefix(name, "job_inputs[")
		if inner, closed := strings.CutSuffix(inner, "]"); found && closed && object == nil {
			given[inner] = value[0]
		}
	}
	switch hash := object["job_inputs"].(type) {
	case map[string]any:
		given = hash
	case nil:
		ok = !values.Has("job_inputs")
	default:
		ok = false
	}
	if !ok {
		answer.Invalid(c.w, "job_inputs is invalid")
		return nil, false
	}
	return given, true
}
