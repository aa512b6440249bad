package world

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
)

// Formats of a stored artifact.
const (
	Gzip = "gzip"
	Raw  = "raw"
	ZIP  = "zip"
)

// Artifact is one of a job's reports.
type Artifact struct {
	Type    string // such as "junit"
	Format  string // Gzip, Raw or ZIP; empty means the type's
	Name    string // of the stored file, such as "junit.xml.gz"; empty means the type's
	Access  string // empty means the job's
	Files   []File // the content
	Content []byte // the stored bytes, instead of Files
}

// fileType is an entry in app/models/concerns/enums/ci/job_artifact.rb.
type fileType struct{ format, name string }

// fileTypes are REPORT_TYPES with their DEFAULT_FILE_NAMES.
var fileTypes = map[string]fileType{
	"accessibility":          {Raw, "gl-accessibility.json"},
	"annotations":            {Gzip, "gl-annotations.json"},
	"api_fuzzing":            {Raw, "gl-api-fuzzing-report.json"},
	"browser_performance":    {Raw, "browser-performance.json"},
	"cluster_applications":   {Gzip, "gl-cluster-applications.json"},
	"cluster_image_scanning": {Raw, "gl-cluster-image-scanning-report.json"},
	"cobertura":              {Gzip, "cobertura-coverage.xml"},
	"codequality":            {Raw, "gl-code-quality-report.json"},
	"container_scanning":     {Raw, "gl-container-scanning-report.json"},
	"coverage_fuzzing":       {Raw, "gl-coverage-fuzzing.json"},
	"cyclonedx":              {Gzip, "gl-sbom.cdx.json"},
	"dast":                   {Raw, "gl-dast-report.json"},
	"dependency_scanning":    {Raw, "gl-dependency-scanning-report.json"},
	"dotenv":                 {Gzip, ".env"},
	"jacoco":                 {Gzip, "jacoco-coverage.xml"},
	"junit":                  {Gzip, "junit.xml"},
	"license_scanning":       {Raw, "gl-license-scanning-report.json"},
	"load_performance":       {Raw, "load-performance.json"},
	"lsif":                   {ZIP, "lsif.json"},
	"metrics":                {Gzip, "metrics.txt"},
	"metrics_referee":        {Gzip, "metrics_referee"},
	"network_referee":        {Gzip, "network_referee"},
	"performance":            {Raw, "performance.json"},
	"repository_xray":        {Gzip, "gl-repository-xray.json"},
	"requirements":           {Raw, "requirements.json"},
	"requirements_v2":        {Raw, "requirements_v2.json"},
	"sarif":                  {Raw, "gl-sarif-report.sarif"},
	"sast":                   {Raw, "gl-sast-report.json"},
	"scip":                   {ZIP, "index.scip"},
	"secret_detection":       {Raw, "gl-secret-detection-report.json"},
	"terraform":              {Raw, "tfplan.json"},
}

// notDownloadable are the types that are missing in DOWNLOADABLE_TYPES of the same file.
var notDownloadable = []string{
	"annotations", "cluster_applications", "coverage_fuzzing", "metadata", "metrics_referee", "network_referee",
	"repository_xray", "terraform", "trace",
}

// DownloadableType reports whether ?file_type= accepts a type: "archive", and the reports
// that people can download.
func DownloadableType(name string) bool {
	_, report := fileTypes[name]
	return name == "archive" || report && !slices.Contains(notDownloadable, name)
}

// UploadableType reports whether a runner may upload a type
// (Ci::JobArtifact.file_types).
func UploadableType(name string) bool {
	_, report := fileTypes[name]
	return report || slices.Contains([]string{"archive", "metadata", "trace"}, name)
}

// FileFormat returns the Format or its default.
func (a *Artifact) FileFormat() string { return cmp.Or(a.Format, fileTypes[a.Type].format, Raw) }

// FileName returns the Name or its default: the type's, with the extension that the
// runner adds (commands/helpers/artifacts_uploader.go of GitLab Runner).
func (a *Artifact) FileName() string {
	ending := map[string]string{Gzip: ".gz", ZIP: ".zip"}[a.FileFormat()]
	return cmp.Or(a.Name, cmp.Or(fileTypes[a.Type].name, a.Type)+ending)
}

// Bytes returns the stored bytes.
func (a *Artifact) Bytes() []byte {
	switch {
	case a.Content != nil:
		return a.Content
	case a.FileFormat() == ZIP:
		return Zip(a.Files...)
	case a.FileFormat() == Gzip:
		return Gzipped(a.Files...)
	}
	var raw []byte
	for _, f := range a.Files {
		raw = append(raw, f.Content...)
	}
	return raw
}

// Gzipped packs files as the runner packs reports: one gzip member per file, with its
// base name and its path in the header (helpers/archives/gzip_create.go of GitLab
// Runner). The same files give the same bytes.
func Gzipped(files ...File) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b) // one for all: each takes a megabyte
	for _, f := range files {
		w.Reset(&b)
		w.Name, w.Comment, w.ModTime = sanitized(path.Base(f.Name)), sanitized(f.Name), f.Time
		if f.Time.IsZero() {
			w.ModTime = FixtureTime
		}
		_, _ = w.Write([]byte(f.Content)) // a buffer accepts everything
		_ = w.Close()                     // likewise
	}
	return b.Bytes()
}

// sanitized is sanitizePath of the same file: a header can only contain Latin-1.
func sanitized(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII || r == '%' }) {
		return "e:" + url.PathEscape(name)
	}
	return name
}

// HasArchive reports whether the archive exists, expired or not.
func (j *Job) HasArchive() bool {
	return j.FinishAfter == 0 && !j.Erased && (j.Archive != nil || j.ArchiveFile != "" || j.Files != nil)
}

// ArchiveFileName returns the ArchiveName or its default.
func (j *Job) ArchiveFileName() string { return cmp.Or(j.ArchiveName, "artifacts.zip") }

// AllReports returns the existing reports. A report that is only named in Reports has 321
// bytes.
func (j *Job) AllReports() []*Artifact {
	if j.FinishAfter > 0 || j.Erased {
		return nil
	}
	all := slices.Clone(j.Artifacts)
	for _, name := range j.Reports {
		all = append(all, &Artifact{Type: name, Content: fillers()[fileTypes[name].format]})
	}
	return all
}

// fillers are reports of 321 bytes, by their format. They are made once: each list of jobs
// has their sizes.
var fillers = sync.OnceValue(func() map[string][]byte {
	return map[string][]byte{ZIP: filler(ZIP), Gzip: filler(Gzip), Raw: filler(Raw), "": filler(Raw)} // of a type that GitLab doesn't know: raw
})

// filler returns a report of 321 bytes in a format.
func filler(format string) []byte {
	stored := func(n int) []byte {
		text := strings.Repeat("-", n-1) + "\n"
		var b bytes.Buffer
		switch format {
		case ZIP:
			return Zip(File{Name: "report.txt", Content: text, Store: true})
		case Gzip:
			w, _ := gzip.NewWriterLevel(&b, gzip.NoCompression) // a valid level
			w.Name, w.Comment = "report.txt", "report.txt"
			_, _ = w.Write([]byte(text)) // a buffer accepts everything
			_ = w.Close()                // likewise
			return b.Bytes()
		}
		return []byte(text)
	}
	const size = 321
	return stored(size - len(stored(1)) + 1)
}

// Report finds a report by its type.
func (j *Job) Report(name string) *Artifact {
	all := j.AllReports()
	if i := slices.IndexFunc(all, func(a *Artifact) bool { return a.Type == name }); i >= 0 {
		return all[i]
	}
	return nil
}

// Downloadable reports whether the job has a file that people may download.
func (j *Job) Downloadable() bool {
	return j.HasArchive() || slices.ContainsFunc(j.AllReports(), func(a *Artifact) bool { return DownloadableType(a.Type) })
}

// Expired reports whether the archive has expired. It may still exist: purging comes
// later.
func (j *Job) Expired(now time.Time) bool { return j.ExpireAt != nil && !j.ExpireAt.After(now) }

// Available is Ci::Build#available_artifacts? (app/models/ci/build.rb).
func (j *Job) Available(p *Pipeline, now time.Time) bool {
	return j.HasArchive() && (p.Locked || !j.Expired(now))
}

// RemoveFiles removes the archive and the reports.
func (j *Job) RemoveFiles() {
	j.Archive, j.ArchiveFile, j.Files, j.Reports, j.Artifacts = nil, "", nil, nil, nil
}

// Purge removes expired archives that aren't locked, as GitLab does every few minutes. If
// a server is running, call it in the server's Update.
func (w *World) Purge(now time.Time) {
	for _, project := range w.Projects {
		project.Each(func(p, _ *Pipeline) {
			for _, j := range p.Jobs {
				if !p.Locked && j.Expired(now) {
					j.RemoveFiles()
				}
			}
		})
	}
}
