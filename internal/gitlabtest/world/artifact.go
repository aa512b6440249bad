package world

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Formats of an artifact as it is stored.
const (
	Gzip = "gzip"
	Raw  = "raw"
	ZIP  = "zip"
)

// Artifact is a file of a job's beside its archive: one of its reports.
type Artifact struct {
	Type    string // such as "junit"
	Format  string // Gzip, Raw or ZIP; the type's if empty
	Name    string // of the stored file, such as "junit.xml.gz"; the type's if empty
	Access  string // the job's if empty
	Files   []File // what the artifact is made of
	Content []byte // the stored bytes, in place of Files
}

// fileType is a row of app/models/concerns/enums/ci/job_artifact.rb.
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

// notDownloadable are the types that DOWNLOADABLE_TYPES of the same file lacks.
var notDownloadable = []string{
	"annotations", "cluster_applications", "coverage_fuzzing", "metadata", "metrics_referee", "network_referee",
	"repository_xray", "terraform", "trace",
}

// DownloadableType reports whether ?file_type= takes a type: "archive", and of
// the reports those that people download.
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

// FileFormat is the Format, or its default.
func (a *Artifact) FileFormat() string { return cmp.Or(a.Format, fileTypes[a.Type].format, Raw) }

// FileName is the Name, or its default: the type's, with the ending that the
// runner adds (commands/helpers/artifacts_uploader.go of GitLab Runner).
func (a *Artifact) FileName() string {
	ending := map[string]string{Gzip: ".gz", ZIP: ".zip"}[a.FileFormat()]
	return cmp.Or(a.Name, cmp.Or(fileTypes[a.Type].name, a.Type)+ending)
}

// Bytes are the stored bytes.
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

// Gzipped packs files as the runner packs reports: one gzip member a file, with
// its base name and its path in the header (helpers/archives/gzip_create.go of
// GitLab Runner). The same files make the same bytes.
func Gzipped(files ...File) []byte {
	var b bytes.Buffer
	for _, f := range files {
		w := gzip.NewWriter(&b)
		w.Name, w.Comment, w.ModTime = sanitized(path.Base(f.Name)), sanitized(f.Name), f.Time
		if f.Time.IsZero() {
			w.ModTime = FixtureTime
		}
		_, _ = w.Write([]byte(f.Content)) // a buffer takes everything
		_ = w.Close()                     // likewise
	}
	return b.Bytes()
}

// sanitized is sanitizePath of the same file: a header holds Latin-1 alone.
func sanitized(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII || r == '%' }) {
		return "e:" + url.PathEscape(name)
	}
	return name
}

// HasArchive reports whether the archive is there, expired or not.
func (j *Job) HasArchive() bool {
	return j.FinishAfter == 0 && !j.Erased && (j.Archive != nil || j.ArchiveFile != "" || j.Files != nil)
}

// ArchiveFileName is the ArchiveName, or its default.
func (j *Job) ArchiveFileName() string { return cmp.Or(j.ArchiveName, "artifacts.zip") }

// AllReports are the reports that are there. One that only Reports names has 321
// bytes.
func (j *Job) AllReports() []*Artifact {
	if j.FinishAfter > 0 || j.Erased {
		return nil
	}
	all := slices.Clone(j.Artifacts)
	for _, name := range j.Reports {
		all = append(all, &Artifact{Type: name, Content: filler(fileTypes[name].format)})
	}
	return all
}

// filler is a report of 321 bytes in a format.
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
			_, _ = w.Write([]byte(text)) // a buffer takes everything
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

// Expired reports whether the archive is past its time, though it may be there
// still: purging comes later.
func (j *Job) Expired(now time.Time) bool { return j.ExpireAt != nil && !j.ExpireAt.After(now) }

// Available is Ci::Build#available_artifacts? (app/models/ci/build.rb).
func (j *Job) Available(p *Pipeline, now time.Time) bool {
	return j.HasArchive() && (p.Locked || !j.Expired(now))
}

// RemoveFiles takes the archive and the reports away.
func (j *Job) RemoveFiles() {
	j.Archive, j.ArchiveFile, j.Files, j.Reports, j.Artifacts = nil, "", nil, nil, nil
}

// Purge removes what has expired and is not locked, as GitLab does every few
// minutes. Of a world that is served, call it while it is locked.
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
