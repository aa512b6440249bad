package gitlabtest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// act begins a route of lib/api/ci/jobs.rb: it asks who is there before it looks
// at parameters, and knows no job tokens.
func (c *call) act(project, id string) bool {
	if !c.authenticated("") {
		return false
	}
	if !c.number(id) {
		invalid(c.w, "job_id is invalid")
		return false
	}
	return c.enter(project, "")
}

// needs answers, and returns false, if the caller is less than that role.
func (c *call) needs(role string) bool {
	if c.caller.atLeast(c.project, role) {
		return true
	}
	forbidden(c.w, "")
	return false
}

// cancel is POST …/cancel. A job that cannot be canceled is returned as it is;
// force, for maintainers, is for one that is "canceling".
func (c *call) cancel(project, id string) {
	query, ok := c.parameters()
	if !ok || !c.act(project, id) || !c.needs("developer") {
		return
	}
	job, pipeline := c.findJob()
	force := query.Get("force") == "true"
	if job == nil || force && !c.needs("maintainer") {
		return
	}
	switch status := job.status(); {
	case force && status == "canceling", !force && slices.Contains(cancelable, status) && (status != "running" || !job.Graceful):
		job.Status, job.FinishAfter = "canceled", 0
		c.s.world.ended(job, pipeline)
	case !force && status == "running":
		job.Status = "canceling"
	}
	respond(c.w, http.StatusCreated, c.jobEntity(job, pipeline))
}

// retryable is Ci::Processable#retryable? (app/models/ci/processable.rb).
func retryable(status string, retried bool) bool {
	return !retried && slices.Contains([]string{"success", "failed", "canceled", "canceling"}, status)
}

// retry is POST …/retry, of trigger jobs too. The new job has an id of its own,
// and the pipeline runs again.
func (c *call) retry(project, id string) {
	if !c.act(project, id) {
		return
	}
	job, pipeline := c.project.job(c.id)
	bridge, of := c.project.bridge(c.id)
	switch {
	case job == nil && bridge == nil:
		recordNotFound(c.w)
	case !c.needs("developer"):
	case job != nil && retryable(job.status(), job.Retried):
		again := c.s.world.again(job)
		pipeline.Jobs = append(pipeline.Jobs, again)
		pipeline.reopened()
		respond(c.w, http.StatusCreated, c.jobEntity(again, pipeline))
	case bridge != nil && retryable(bridge.status(), bridge.Retried):
		again := *bridge // whose child stays with the one that is retried
		again.ID, again.Status, again.Child, again.Downstream = c.s.world.nextJobID(), "pending", nil, nil
		bridge.Retried = true
		of.Bridges = append(of.Bridges, &again)
		of.reopened()
		respond(c.w, http.StatusCreated, c.jobEntity(again.asJob(), of))
	default:
		forbidden(c.w, "Job is not retryable")
	}
}

// again makes what a retry of the job makes.
func (w *World) again(j *Job) *Job {
	again := &Job{Status: "pending", AllowFailure: j.AllowFailure, Access: j.Access, Tags: j.Tags}
	if j.Again != nil {
		declared := *j.Again
		again = &declared
	}
	again.Name, again.Stage = firstOf(again.Name, j.Name), firstOf(again.Stage, j.Stage)
	if again.ID == 0 {
		again.ID = w.nextJobID()
	}
	j.Retried = true
	return again
}

// erase is POST …/erase: the archive, the reports and the log go.
func (c *call) erase(project, id string) {
	if !c.act(project, id) {
		return
	}
	job, pipeline := c.findJob()
	if job == nil {
		return
	}
	hasSomething := job.log() != "" || job.hasArchive() || len(job.Reports) > 0
	switch {
	case !c.caller.mayErase(c.project, job, pipeline):
		forbidden(c.w, "")
	case !job.finished() || !hasSomething:
		forbidden(c.w, "Job is not erasable!")
	case c.refreshing():
	default:
		job.removeFiles()
		job.Trace, job.Erased = "", true
		respond(c.w, http.StatusCreated, c.jobEntity(job, pipeline))
	}
}

// play is POST …/play, of trigger jobs too.
func (c *call) play(project, id string) {
	variables, ok := c.variables()
	if !ok || !c.act(project, id) {
		return
	}
	job, pipeline := c.project.job(c.id)
	bridge, of := c.project.bridge(c.id)
	playable := func(status string) bool { return status == "manual" || status == "scheduled" }
	switch {
	case job == nil && bridge == nil:
		recordNotFound(c.w)
	case !c.needs("developer"):
	case job != nil && playable(job.status()):
		job.Status, job.User = "pending", c.caller.user()
		if len(variables) > 0 {
			job.Variables = maps.Clone(variables)
		}
		pipeline.reopened()
		respond(c.w, http.StatusOK, c.jobEntity(job, pipeline))
	case bridge != nil && playable(bridge.status()):
		bridge.Status = "pending"
		of.reopened()
		respond(c.w, http.StatusOK, c.bridgeEntity(bridge, of))
	default:
		badRequest(c.w, "Unplayable Job")
	}
}

// parameters are those of the address and of the body, a form or JSON. They are
// read after the caller is known to be somebody, as everything is.
func (c *call) parameters() (url.Values, bool) {
	values := c.r.URL.Query()
	if !c.authenticated("") {
		return nil, false
	}
	body, _ := io.ReadAll(c.r.Body) // of what was read already
	kind, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if kind != "application/json" {
		form, _ := url.ParseQuery(string(body)) // no form has no values
		maps.Copy(values, form)
		return values, true
	}
	var object map[string]any
	if len(body) > 0 && json.Unmarshal(body, &object) != nil {
		message(c.w, http.StatusBadRequest, "400 Bad request") // Grape's wording differs with the parser's
		return nil, false
	}
	for name, value := range object {
		flatten(values, name, value)
	}
	return values, true
}

// flatten writes JSON as Rails writes it into a form.
func flatten(values url.Values, name string, value any) {
	switch value := value.(type) {
	case []any:
		for _, one := range value {
			flatten(values, name+"[]", one)
		}
	case map[string]any:
		for key, one := range value {
			flatten(values, name+"["+key+"]", one)
		}
	case nil:
	default:
		values.Add(name, fmt.Sprint(value))
	}
}

// variables reads job_variables_attributes, whose parts both have to be there.
func (c *call) variables() (map[string]string, bool) {
	values, ok := c.parameters()
	if !ok {
		return nil, false
	}
	const list = "job_variables_attributes"
	keys, contents := values[list+"[][key]"], values[list+"[][value]"]
	for i := range max(len(keys), len(contents)) {
		for part, given := range map[string][]string{"key": keys, "value": contents} {
			if i >= len(given) {
				invalid(c.w, fmt.Sprintf("%s[%d][%s] is missing", list, i, part))
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
