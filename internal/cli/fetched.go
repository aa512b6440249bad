package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/resolve"
)

// fetchedFile is a file in the workspace, in JSON.
type fetchedFile struct {
	Path   string  `json:"path"   doc:"below the directory"`
	Size   int64   `json:"size"   doc:"bytes; of a link 0"`
	Target *string `json:"target" doc:"of a link"`
}

// of adds what is known of a job.
func of(event *zerolog.Event, a resolve.Artifact) *zerolog.Event {
	if a.JobName != "" {
		event = event.Str("job", a.JobName)
	}
	if a.JobID != 0 {
		event = event.Int64("job_id", a.JobID)
	}
	if a.PipelineID != 0 {
		event = event.Int64("pipeline", a.PipelineID)
	}
	if a.Ref != "" {
		event = event.Str("ref", a.Ref)
	}
	if a.Back > 0 {
		event = event.Int("pipelines_back", a.Back)
	}
	return event
}

// report says in one line what arrived, from where and where to.
func (s *session) report(event *zerolog.Event, r retrieve.Result, into string) {
	a := r.Artifact
	event = of(event, a).Int("files", r.Stats.Files).Str("extracted", console.Size(r.Stats.Bytes)).Str("transferred", console.Size(r.Transfer.Bytes))
	if saved := a.Size - r.Transfer.Bytes; saved > 0 {
		event = event.Str("saved", console.Size(saved))
	}
	event = event.Int64("requests", r.Transfer.Requests).Stringer("took", r.Took.Round(time.Millisecond))
	if r.Took > 0 && r.Transfer.Bytes > 0 {
		event = event.Str("rate", console.Size(int64(float64(r.Transfer.Bytes)/r.Took.Seconds()))+"/s")
	}
	event = event.Str("into", into)
	if page := s.page(a); page != "" {
		event = event.Str("url", page)
		if project, _, ok := strings.Cut(page, "/-/jobs/"); ok && a.PipelineID != 0 {
			event = event.Str("pipeline_url", project+"/-/pipelines/"+strconv.FormatInt(a.PipelineID, 10))
		}
	}
	event.Msg("fetched")
}

// page is the address of a job, or "" if it is not known.
func (s *session) page(a resolve.Artifact) string {
	project := s.opener.Own.PathOf(a.Project)
	if a.WebURL != "" || a.JobID == 0 || project == "" {
		return a.WebURL
	}
	return fmt.Sprintf("%s/%s/-/jobs/%d", strings.TrimSuffix(s.cfg.APIURL.String(), "/api/v4"), project, a.JobID)
}

// fetchedJob is one fetched archive in JSON. What is unknown is null.
type fetchedJob struct {
	Project       string        `json:"project"        doc:"id or path, as it was given"`
	PipelineID    *int64        `json:"pipeline_id"`
	Ref           *string       `json:"ref"`
	SHA           *string       `json:"sha"            doc:"commit"`
	JobID         *int64        `json:"job_id"`
	Job           *string       `json:"job"            doc:"name"`
	WebURL        *string       `json:"web_url"`
	Found         string        `json:"found"          doc:"how: job id, listing, ref, list of project"`
	PipelinesBack int           `json:"pipelines_back" doc:"how many newer successful pipelines lack it"`
	Size          *int64        `json:"size"           doc:"bytes of the archive"`
	SHA256        *string       `json:"sha256"         doc:"of the archive, where the server tells, or all of it came"`
	Directory     string        `json:"directory"      doc:"where the files are"`
	Extracted     int64         `json:"extracted"      doc:"bytes of the files"`
	Transferred   int64         `json:"transferred"    doc:"bytes that came over the network"`
	Requests      int64         `json:"requests"       doc:"for these"`
	Seconds       float64       `json:"seconds"        doc:"that took"`
	Files         []fetchedFile `json:"files"          doc:"what is in the workspace now: path, size, target"`
}

func (s *session) fetchedJobs(into retrieve.Output, done []retrieve.Result) []fetchedJob {
	rows := make([]fetchedJob, len(done))
	for i, r := range done {
		a := r.Artifact
		rows[i] = fetchedJob{
			Project: a.Project, PipelineID: known(a.PipelineID), Ref: known(a.Ref), SHA: known(a.SHA), JobID: known(a.JobID), Job: known(a.JobName),
			WebURL: known(s.page(a)), Found: string(a.Found), PipelinesBack: a.Back, Size: known(a.Size), SHA256: known(a.SHA256), Directory: into.Dir,
			Extracted: r.Stats.Bytes, Transferred: r.Transfer.Bytes, Requests: r.Transfer.Requests, Seconds: r.Took.Seconds(), Files: make([]fetchedFile, len(r.Files)),
		}
		for n, f := range r.Files {
			rows[i].Files[n] = fetchedFile{f.Path, f.Size, known(f.Target)}
		}
	}
	return rows
}
