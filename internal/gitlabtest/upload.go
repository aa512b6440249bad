package gitlabtest

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/answer"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/world"
)

// uploadForm is a runner's upload: parameters in the query and in a form, and the
// artifact itself.
type uploadForm struct {
	url.Values
	name    string
	content []byte
}

// upload is POST /jobs/:id/artifacts (lib/api/ci/runner.rb), which needs the token of
// that job, while it runs. The file is the archive or a report; its content isn't
// checked.
func (c *call) upload(id string) {
	if !c.number(id) {
		answer.Invalid(c.w, "id is invalid")
		return
	}
	form, problem := readUpload(c.r)
	switch {
	case problem != "":
		answer.Invalid(c.w, problem)
	case !world.UploadableType(form.Get("artifact_type")):
		answer.Invalid(c.w, "artifact_type does not have a valid value")
	case !slices.Contains([]string{world.Raw, world.ZIP, world.Gzip}, form.Get("artifact_format")):
		answer.Invalid(c.w, "artifact_format does not have a valid value")
	case c.limited(limitRunner):
	default:
		if job := c.runningJob(form.Get("token")); job != nil {
			c.keepUpload(job, form)
		}
	}
}

// authorizeUpload is POST /jobs/:id/artifacts/authorize, which only Workhorse may call:
// without its signature the request is forbidden (require_gitlab_workhorse!). The runner
// doesn't send it.
func (c *call) authorizeUpload(id string) {
	if !c.number(id) {
		answer.Invalid(c.w, "id is invalid")
		return
	}
	if !c.limited(limitRunner) {
		answer.Forbidden(c.w, "")
	}
}

// readUpload parses the form. Parameters have Grape's defaults.
func readUpload(r *http.Request) (uploadForm, string) {
	form := uploadForm{Values: r.URL.Query()}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return form, "file is missing"
	}
	parts := multipart.NewReader(r.Body, params["boundary"])
	found := false
	for {
		part, err := parts.NextPart()
		if err != nil {
			break // the end, or a truncated form
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return form, "file is invalid"
		}
		if part.FormName() == "file" {
			form.name, form.content, found = part.FileName(), content, true
			continue
		}
		form.Set(part.FormName(), string(content))
	}
	if !found {
		return form, "file is missing"
	}
	for name, otherwise := range map[string]string{"artifact_type": "archive", "artifact_format": world.ZIP} {
		if form.Get(name) == "" {
			form.Set(name, otherwise)
		}
	}
	return form, ""
}

// runningJob is authenticate_job! of lib/api/ci/helpers/runner.rb: if anything is wrong,
// the answer is 403, so the runner gives up. It then writes the answer and returns nil.
func (c *call) runningJob(token string) *Job {
	if token == "" {
		token = c.r.Header.Get("Job-Token")
	}
	job, _, _ := c.s.world.Job(c.id)
	t := c.s.world.Token(token)
	switch {
	case job == nil, t == nil || t.Kind != KindJob || t.Job != job.ID:
		answer.Forbidden(c.w, "")
	case job.Erased:
		answer.Forbidden(c.w, "Job has been erased!")
	case !slices.Contains([]string{"running", "canceling"}, job.State()):
		c.w.Header().Set("Job-Status", job.State())
		answer.Forbidden(c.w, "Job is not processing on runner")
	case t.Dead:
		c.w.Header().Set("Job-Status", job.State())
		answer.Forbidden(c.w, "Job token has expired")
	default:
		return job
	}
	return nil
}

// keepUpload is app/services/ci/job_artifacts/create_service.rb: uploading the same file
// again changes nothing; another file of the same type is refused.
func (c *call) keepUpload(job *Job, form uploadForm) {
	kind := form.Get("artifact_type")
	old, exists := uploaded(job, kind)
	switch expiry, ok := world.ExpiresAt(form.Get("expire_in"), c.s.opts.Now()); {
	case int64(len(form.content)) > c.s.opts.MaxArtifact:
		answer.Message(c.w, http.StatusRequestEntityTooLarge, "file size has reached maximum size limit")
		return
	case exists && bytes.Equal(old, form.content):
	case exists:
		answer.Message(c.w, http.StatusBadRequest, "another artifact of the same type already exists")
		return
	case !ok: // ChronicDuration::DurationParseError, which GitLab doesn't catch
		answer.Message(c.w, http.StatusInternalServerError, "500 Internal Server Error")
		return
	default:
		job.ExpireAt = expiry
		keepFile(job, kind, form)
	}
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(http.StatusCreated)
	_, _ = c.w.Write([]byte(`"201"`))
}

func keepFile(job *Job, kind string, form uploadForm) {
	access := map[string]string{"private": "developer", "public": "public", "maintainer": "maintainer", "none": "none"}[form.Get("accessibility")]
	switch kind {
	case "archive":
		job.Archive, job.ArchiveName = form.content, form.name
		if access != "" {
			job.Access = access
		}
	case "metadata": // Workhorse creates it from the archive
	case "trace":
		job.Trace = string(form.content)
	default:
		job.Artifacts = append(job.Artifacts, &Artifact{
			Type: kind, Format: form.Get("artifact_format"), Name: form.name, Access: access, Content: form.content,
		})
	}
}

// uploaded returns the job's artifact of that type.
func uploaded(job *Job, kind string) ([]byte, bool) {
	if kind == "archive" {
		return job.Archive, job.HasArchive()
	}
	for _, a := range job.Artifacts {
		if a.Type == kind {
			return a.Bytes(), true
		}
	}
	return nil, false
}
