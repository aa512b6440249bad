package cli

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/atomicfile"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/dotenv"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/failure"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/resolve"
)

func fetchCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name:      "fetch",
		Aliases:   []string{"get"},
		Usage:     "download a job's artifacts and extract them: all files, or none",
		UsageText: "artifetch fetch [flags] [PATH…]",
		Description: `PATH is a file, a directory or a glob (**, *, ?, [a-z], {a,b}); without it, fetch takes all files.

  artifetch fetch --ref main --job build
  artifetch fetch -R group/lib -r v1.0 -j package '*.so' -x '*.map' -o lib
  artifetch fetch --ref main --job 'lint*' --report junit -o 'out/{job_slug}'`,
		Flags:  slices.Concat(queryFlags(), []cli.Flag{reportFlag()}, extractionFlags(), []cli.Flag{archiveFlag(), ifMissingFlag()}, transferFlags(" for one archive"), []cli.Flag{formatFlag()}, dotenvFlags(), logFlags()),
		Action: action(con, readFetch, runFetch),
	}
}

// fetchOptions are the options of fetch.
type fetchOptions struct {
	global   globalOptions
	query    queryOptions
	extract  extractOptions
	archive  archiveOptions
	transfer transferOptions
	missing  missingPolicy
	report   dotenv.Report // for later jobs
	asJSON   bool
	log      logOptions
}

func readFetch(c *cli.Context) (o fetchOptions, err error) {
	o = fetchOptions{global: readGlobal(c), query: readQuery(c), transfer: readTransfer(c), log: readLog(c)}
	if o.extract, err = readExtraction(c, c.Args().Slice()); err != nil {
		return o, err
	}
	if o.archive, err = readArchive(c); err != nil {
		return o, err
	}
	if o.extract.checks.Provenance && len(o.query.asked.Reports) > 0 {
		return o, usage("--verify-provenance and --report exclude each other", "the runner's statement is only about the archive")
	}
	if o.missing, err = readMissing(c); err != nil {
		return o, err
	}
	if o.report, err = readDotenv(c); err != nil {
		return o, err
	}
	o.asJSON, err = wantsJSON(c)
	return o, err
}

func runFetch(ctx context.Context, o fetchOptions, con *console.Console) error {
	if err := o.archive.check(con); err != nil {
		return err
	}
	return withQuery(ctx, o.global, o.query, con, func(ctx context.Context, s *session, q resolve.Query) error {
		what, err := o.retrieval(s, q)
		if err != nil {
			return err
		}
		progress := s.newProgress(o.log)
		s.show(progress)
		end := s.section(o.log, "fetch", "artifetch fetch: "+q.String())
		done, err := o.run(ctx, s, what)
		progress.End()
		end()
		if o.archive.file != "" {
			err = failure.OfArchive(err, o.archive.file)
		}
		if err = o.missing.allow(s, err, "nothing fetched"); err != nil {
			return err
		}
		return o.handOver(ctx, s, what.Output, done)
	})
}

func (o fetchOptions) run(ctx context.Context, s *session, what retrieve.Options) ([]retrieve.Result, error) {
	if o.archive.stream {
		return o.streamArchive(ctx, s, what.Query)
	}
	retriever := retrieve.Retriever{Loader: s.loader(o.transfer.cache), Pauses: s.polls}
	done, err := retriever.Run(ctx, what)
	return done, failure.Unchanged(err)
}

// output returns where each job's files or archive go.
func (o fetchOptions) output(s *session) (retrieve.Output, error) {
	if o.archive.file != "" {
		into, err := retrieve.ParseArchive(o.archive.file)
		return into, parsed("archive", err)
	}
	return parseOutput(o.extract.dir(s.cfg))
}

// retrieval returns what to retrieve.
func (o fetchOptions) retrieval(s *session, q resolve.Query) (retrieve.Options, error) {
	into, err := o.output(s)
	if err != nil {
		return retrieve.Options{}, err
	}
	what := retrieve.Options{
		Query: q, Output: into, Stage: s.stageEvents(o.extract.stage), Extract: o.extract.take, Checks: o.extract.checks,
		Wait: o.query.wait, Describe: o.report.File != "", Files: o.asJSON,
	}
	what.Extract.Connections = o.transfer.connections
	if o.report.File != "" { // report errors before files arrive
		if what.Stage.Reserved, err = atomicfile.Target(o.report.File); err != nil {
			return what, err
		}
		what.BeforeCommit = func(done []retrieve.Result) error {
			err := o.report.Fits(dotenv.Fetched(into, done))
			return err
		}
	}
	return what, nil
}

// streamArchive writes the archive to standard output, a device or a pipe.
func (o fetchOptions) streamArchive(ctx context.Context, s *session, q resolve.Query) (done []retrieve.Result, err error) {
	t := retrieve.Task{Query: q, Checks: o.extract.checks}
	t.Extract.Connections = o.transfer.connections
	loader := s.loader(o.transfer.cache)
	write := func(w io.Writer) error {
		return s.waiter(o.query.wait).Do(ctx, func(ctx context.Context) error {
			r, err := loader.Copy(ctx, t, w)
			done = []retrieve.Result{r}
			return err
		})
	}
	if o.archive.file == "-" {
		return done, write(s.con.Out)
	}
	return done, atomicfile.Write(ctx, o.archive.file, write)
}

// parseOutput parses --output with its words in braces.
func parseOutput(dir string) (retrieve.Output, error) {
	o, err := retrieve.ParseOutput(dir)
	return o, parsed("output", err)
}

// parsed adds the flag to an error about words in braces.
func parsed(flag string, err error) error {
	if unknown, ok := errors.AsType[*retrieve.UnknownWordError](err); ok {
		return usage("--"+flag+" has braces around something other than "+strings.Join(unknown.Known, ", "), "leave them out, or use one of these words")
	}
	return err
}

// handOver reports the result to people, later jobs and programs.
func (o fetchOptions) handOver(ctx context.Context, s *session, into retrieve.Output, done []retrieve.Result) error {
	list := make([]arrived, len(done))
	for i, r := range done {
		list[i] = arrived{Result: r, into: o.archive.shown(into.Of(r.Artifact)), whole: o.archive.file != "", anyStatus: o.query.asked.AnyStatus}
	}
	unit := "job"
	if len(o.query.asked.Reports) > 0 {
		unit = "report"
	}
	s.report(list, unit)
	if err := s.writeReport(ctx, o.report, dotenv.Fetched(into, done), dotenv.Artifacts(done)); err != nil {
		return err
	}
	if o.asJSON {
		return s.con.Encode(s.fetchedJobs(into, done))
	}
	return nil
}

// fetchedFile is a file in the workspace in JSON.
type fetchedFile struct {
	Path   string  `json:"path"   doc:"below the directory"`
	Size   int64   `json:"size"   doc:"bytes; of a link 0"`
	Target *string `json:"target" doc:"of a link"`
}

// fetchedJob is one fetched archive in JSON. Unknown values are null.
type fetchedJob struct {
	Project       string        `json:"project"        doc:"id or path, as it was given"`
	PipelineID    *int64        `json:"pipeline_id"`
	Ref           *string       `json:"ref"`
	SHA           *string       `json:"sha"            doc:"commit"`
	JobID         *int64        `json:"job_id"`
	Job           *string       `json:"job"            doc:"name"`
	Report        *string       `json:"report"         doc:"type, with --report; size and sha256 are those of the report"`
	Status        *string       `json:"status"         doc:"of the job; null if the token can't see it"`
	WebURL        *string       `json:"web_url"`
	Found         string        `json:"found"          doc:"how: job id, listing, ref, list of project"`
	PipelinesBack int           `json:"pipelines_back" doc:"how many newer successful pipelines lack it; with --base, how many commits"`
	Size          *int64        `json:"size"           doc:"bytes of the archive"`
	SHA256        *string       `json:"sha256"         doc:"of the archive, if the server sends it or all of it was downloaded"`
	Directory     string        `json:"directory"      doc:"where the files are"`
	Extracted     int64         `json:"extracted"      doc:"bytes of the files"`
	Transferred   int64         `json:"transferred"    doc:"bytes that were downloaded"`
	Requests      int64         `json:"requests"       doc:"number of requests"`
	Seconds       float64       `json:"seconds"        doc:"duration"`
	Files         []fetchedFile `json:"files"          doc:"the files in the workspace: path, size, target"`
}

func (s *session) fetchedJobs(into retrieve.Output, done []retrieve.Result) []fetchedJob {
	rows := make([]fetchedJob, len(done))
	for i, r := range done {
		a := r.Artifact
		rows[i] = fetchedJob{
			Project: a.Project, PipelineID: known(a.PipelineID), Ref: known(a.Ref), SHA: known(a.SHA), JobID: known(a.JobID), Job: known(a.JobName),
			Report: known(a.Report.Type), Status: known(a.Status), WebURL: known(s.page(a)), Found: string(a.Found), PipelinesBack: a.Back, Size: known(a.Size), SHA256: known(a.SHA256), Directory: into.Dir,
			Extracted: r.Stats.Bytes, Transferred: r.Transfer.Bytes, Requests: r.Transfer.Requests, Seconds: r.Took.Seconds(), Files: make([]fetchedFile, len(r.Files)),
		}
		for n, f := range r.Files {
			rows[i].Files[n] = fetchedFile{f.Path, f.Size, known(f.Target)}
		}
	}
	return rows
}
