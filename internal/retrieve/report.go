package retrieve

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// reportsSince is the first version of GitLab that serves reports. Older ones ignore the
// requested type and serve the archive: gitlab!252518.
const reportsSince = "19.4"

// OldServerError reports a server that doesn't serve reports.
type OldServerError struct{ Version string } // empty if the token can't read it

// Error implements error.
func (e *OldServerError) Error() string {
	return fmt.Sprintf("reports need GitLab %s; this is %s", reportsSince, cmp.Or(e.Version, "an older version"))
}

// Hint says what to do next.
func (*OldServerError) Hint() string {
	return "add the files to artifacts:paths as well, and take them from the archive"
}

// openReport opens a report. The listed size prevents a server from sending something
// else.
func (o *Opener) openReport(ctx context.Context, q resolve.Query, a resolve.Artifact, how fetch.Options) (*fetch.File, resolve.Artifact, error) {
	how.Size, how.RangesOnly = a.Size, false
	how.Whole = a.Report.Format != string(extract.ZipReport) // no checksum covers all of it
	how.Partial = how.Partial && a.Report.Format == string(extract.ZipReport)
	file, _, err := o.reach(ctx, q, a, how)
	switch {
	case errors.Is(err, fetch.ErrChanged), is[*fetch.DigestError](err):
		return nil, a, cmp.Or(o.answersArchive(ctx, q, a), in(a, err))
	case is[*NotProxiedError](err):
		return nil, a, err
	case err != nil:
		return nil, a, o.refusedReport(ctx, q, a, err)
	}
	if a.Report, err = o.recognize(ctx, a, file); err != nil {
		return nil, a, errors.Join(err, file.Close())
	}
	return file, a, nil
}

// refusedReport explains why GitLab refused a report. An older server gives the same
// answer for a job without an archive.
func (o *Opener) refusedReport(ctx context.Context, q resolve.Query, a resolve.Artifact, err error) error {
	why := o.Resolver.ReportRefused(q, a, err)
	if !is[*resolve.NoArchiveError](why) {
		return why
	}
	if version := o.version(ctx); gitlab.Older(version, reportsSince) {
		return &OldServerError{version}
	}
	return why
}

// answersArchive returns an [*OldServerError] if the server serves the archive at a
// report's address, and else nil.
func (o *Opener) answersArchive(ctx context.Context, q resolve.Query, a resolve.Artifact) error {
	how := o.transfer("")
	how.Partial, how.RangesOnly = true, true
	file, _, err := o.reach(ctx, q, a, how)
	if err == nil {
		err = errors.Join(o.notArchive(ctx, a, file), file.Close())
	}
	if old, ok := errors.AsType[*OldServerError](err); ok {
		return old
	}
	if version := o.version(ctx); errors.Is(err, fetch.ErrNoRanges) && (version == "" || gitlab.Older(version, reportsSince)) {
		return &OldServerError{version}
	}
	return nil
}

// notArchive returns an [*OldServerError] if a file is the job's archive rather than the
// report: GitLab lists another size or format, or the version doesn't serve reports. If
// the report may be a ZIP file, it is compared with the file at the archive's address.
func (o *Opener) notArchive(ctx context.Context, a resolve.Artifact, file *fetch.File) error {
	isZip, err := extract.IsZip(ctx, file)
	another := a.Size > 0 && a.Size != file.Size()
	if err != nil || !isZip && !another {
		return err
	}
	var old bool
	version := o.version(ctx)
	switch {
	case version != "":
		old = gitlab.Older(version, reportsSince)
	case isZip && (another || a.Report.Format == string(extract.GzipReport)):
		old = true
	case !another:
		old, err = o.isArchive(ctx, a, file)
	}
	if old {
		return &OldServerError{version}
	}
	return err
}

// isArchive reports whether a file is the same as that at the address of the job's archive.
func (o *Opener) isArchive(ctx context.Context, a resolve.Artifact, file *fetch.File) (bool, error) {
	same, err := o.servesToo(ctx, file, o.API.ArchiveURL(gitlab.Project(a.Project), a.JobID))
	if is[*gitlab.Error](err) || errors.Is(err, fetch.ErrCannotTell) {
		return false, nil // the job has no archive, or nothing shows that this is it
	}
	return same, err
}

// servesToo reports whether GitLab serves an open file at another address, too.
func (o *Opener) servesToo(ctx context.Context, file *fetch.File, address string) (bool, error) {
	id, err := fetch.Identify(ctx, address, o.transfer(""))
	if err != nil {
		return false, err
	}
	return file.Is(id)
}

// ServesReports reports whether the server serves reports, as far as its version is known
// without a request.
func (o *Opener) ServesReports() bool {
	return o.Version == "" || !gitlab.Older(o.Version, reportsSince)
}

// version returns the server's version, or "" if the token can't read it.
func (o *Opener) version(ctx context.Context) string {
	if o.Version != "" {
		return o.Version
	}
	hello, err := o.API.Greet(ctx)
	if err != nil {
		return ""
	}
	return hello.Version
}

// recognize completes a report by its first bytes, and checks that it is the one that
// GitLab lists.
func (o *Opener) recognize(ctx context.Context, a resolve.Artifact, file *fetch.File) (resolve.Report, error) {
	if err := o.notArchive(ctx, a, file); err != nil {
		return a.Report, err
	}
	r, err := completed(ctx, a.Report, file)
	if err == nil && a.Size > 0 && a.Size != file.Size() {
		err = &fetch.SizeError{Listed: a.Size, Sent: file.Size()}
	}
	return r, in(a, err)
}

// completed returns a report with the format of its bytes and the usual name, unless they
// are known. If the bytes can't be that report, the error is an
// [*extract.NotArchiveError].
func completed(ctx context.Context, r resolve.Report, src extract.Source) (resolve.Report, error) {
	format, err := extract.ReportFormatOf(ctx, src, extract.ReportFormat(r.Format))
	r.Format, r.Name = cmp.Or(r.Format, string(format)), cmp.Or(r.Name, rawNames[r.Type], r.Type)
	return r, err
}

// add extracts an archive or a recognized report into a stage.
func add(ctx context.Context, stage *extract.Stage, a resolve.Artifact, src extract.Source, o extract.Options) (extract.Stats, error) {
	if a.Report.Type != "" {
		return stage.AddReport(ctx, src, asReport(a.Report), o)
	}
	return stage.Add(ctx, src, o)
}

// rawNames are the names of raw reports in GitLab's own templates, by type:
// DEFAULT_FILE_NAMES in app/models/concerns/enums/ci/job_artifact.rb. They matter if the
// token can't list the job.
var rawNames = map[string]string{
	"accessibility": "gl-accessibility.json", "api_fuzzing": "gl-api-fuzzing-report.json", "browser_performance": "browser-performance.json",
	"cluster_image_scanning": "gl-cluster-image-scanning-report.json", "codequality": "gl-code-quality-report.json",
	"container_scanning": "gl-container-scanning-report.json", "dast": "gl-dast-report.json", "dependency_scanning": "gl-dependency-scanning-report.json",
	"license_scanning": "gl-license-scanning-report.json", "load_performance": "load-performance.json", "performance": "performance.json",
	"requirements": "requirements.json", "requirements_v2": "requirements_v2.json", "sarif": "gl-sarif-report.sarif", "sast": "gl-sast-report.json",
	"secret_detection": "gl-secret-detection-report.json", "dotenv": ".env", "junit": "junit.xml.gz",
}

// asReport says how to read an open report.
func asReport(r resolve.Report) extract.Report {
	return extract.Report{Format: extract.ReportFormat(r.Format), Name: r.Name}
}

// in adds the archive or report that an error is about.
func in(a resolve.Artifact, err error) error {
	switch {
	case err == nil:
		return nil
	case a.Report.Type != "":
		return fmt.Errorf("%s: %w", a.Label(), inReports(err, 1))
	}
	return fmt.Errorf("archive of %s: %w", a.Label(), err)
}

// checkWhole checks that an archive or report that isn't extracted is complete: a ZIP
// file has its end, and the members of a gzip report match their checksums.
func checkWhole(ctx context.Context, a resolve.Artifact, file *fetch.File) error {
	if a.Report.Type != "" {
		return extract.CheckReport(ctx, file, asReport(a.Report))
	}
	return extract.CheckEnd(ctx, file)
}
