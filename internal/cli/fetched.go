package cli

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/resolve"
)

// result is one archive whose files are in the workspace.
type result struct {
	artifact resolve.Artifact
	files    extract.Stats
	transfer fetch.Stats
	took     time.Duration
	listed   *arrivals // nil if nobody wants to know
}

// arrivals are the files and links of one archive.
type arrivals struct {
	mu    sync.Mutex
	files map[string]fetchedFile // by path
}

// fetchedFile is a file in the workspace, in JSON.
type fetchedFile struct {
	Path   string  `json:"path"   doc:"below the directory"`
	Size   int64   `json:"size"   doc:"bytes; of a link 0"`
	Target *string `json:"target" doc:"of a link"`
}

func (a *arrivals) file(path string, size int64) { a.put(fetchedFile{Path: path, Size: size}) }

func (a *arrivals) link(path, target string) { a.put(fetchedFile{Path: path, Target: &target}) }

func (a *arrivals) put(f fetchedFile) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.files[f.Path] = f
}

// list is what has arrived, but for what was left out in the end, sorted.
func (a *arrivals) list(leftOut map[string]bool) []fetchedFile {
	files := []fetchedFile{}
	for _, path := range slices.Sorted(maps.Keys(a.files)) {
		if !leftOut[path] {
			files = append(files, a.files[path])
		}
	}
	return files
}

// count counts what is in the workspace: archives among the files were unpacked, and
// what was left out is not there.
func (r *result) count(leftOut map[string]bool) {
	r.files.Files, r.files.Bytes, r.files.Links = 0, 0, 0
	for _, f := range r.listed.list(leftOut) {
		if f.Target != nil {
			r.files.Links++
			continue
		}
		r.files.Files++
		r.files.Bytes += f.Size
	}
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
func (s *session) report(event *zerolog.Event, r result, into string) {
	a := r.artifact
	event = of(event, a).Int("files", r.files.Files).Str("extracted", console.Size(r.files.Bytes)).Str("transferred", console.Size(r.transfer.Bytes))
	if saved := a.Size - r.transfer.Bytes; saved > 0 {
		event = event.Str("saved", console.Size(saved))
	}
	event = event.Int64("requests", r.transfer.Requests).Stringer("took", r.took.Round(time.Millisecond))
	if r.took > 0 && r.transfer.Bytes > 0 {
		event = event.Str("rate", console.Size(int64(float64(r.transfer.Bytes)/r.took.Seconds()))+"/s")
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
	project := a.Project
	if project == s.cfg.Project && s.cfg.ProjectPath != "" {
		project = s.cfg.ProjectPath
	}
	if a.WebURL != "" || a.JobID == 0 || !strings.Contains(project, "/") {
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

func (f *fetcher) printJSON() error {
	rows := make([]fetchedJob, len(f.done))
	for i, r := range f.done {
		a := r.artifact
		rows[i] = fetchedJob{
			Project: a.Project, PipelineID: known(a.PipelineID), Ref: known(a.Ref), SHA: known(a.SHA), JobID: known(a.JobID), Job: known(a.JobName),
			WebURL: known(f.page(a)), Found: string(a.Found), PipelinesBack: a.Back, Size: known(a.Size), SHA256: known(a.SHA256), Directory: f.place.dir,
			Extracted: r.files.Bytes, Transferred: r.transfer.Bytes, Requests: r.transfer.Requests, Seconds: r.took.Seconds(), Files: r.listed.list(f.leftOut),
		}
	}
	return f.con.Encode(rows)
}
