package cli

import (
	"cmp"
	"context"
	"path"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/internal/checkout"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/arrange"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/failure"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/meant"
	"gitlab.com/artifetch/artifetch/internal/webaddress"
	"gitlab.com/artifetch/artifetch/resolve"
)

// projectOf returns the project of a command without a query: an ID, a path, a web
// address, or the job's own.
func projectOf(value string, cfg env.Config) (string, error) {
	q := resolve.Query{Project: value}
	err := projectIn(cfg, &q)
	return cmp.Or(q.Project, cfg.Project), err
}

// pipelineOf reads the project and the pipeline of a list of jobs. Without --project, the
// pipeline may belong to another project than the job's own.
func pipelineOf(cfg env.Config, project, pipeline string, q *resolve.Query) error {
	q.Project = project
	for _, read := range []func(env.Config, *resolve.Query) error{projectIn, pipelineIn(pipeline)} {
		if err := read(cfg, q); err != nil {
			return err
		}
	}
	q.Project = cmp.Or(q.Project, cfg.Project)
	return nil
}

// jobFlags are the query flags that select a command's job. Flags about archives or
// successful pipelines don't apply.
func jobFlags() []cli.Flag {
	return only(queryFlags(), "project", "ref", "job", "job-id", "pipeline", "sha", "mr", "downstream", "source")
}

// only keeps the flags with these names.
func only(flags []cli.Flag, names ...string) []cli.Flag {
	return slices.DeleteFunc(flags, func(f cli.Flag) bool { return !slices.Contains(names, f.Names()[0]) })
}

// byName reports whether flags select the job, rather than an ID in the arguments.
func (o queryOptions) byName() bool {
	return slices.ContainsFunc(o.given, func(name string) bool { return name != "wait" })
}

// oneRef refuses several refs for a command that changes jobs.
func (o queryOptions) oneRef(command string) error {
	if len(o.asked.MoreRefs) == 0 {
		return nil
	}
	return usage("--ref is given several times, but "+command+" changes what it finds", "give one: a typo in the first would lead to the job of the next")
}

// named returns the flags for a job's name, after those that select the pipeline.
func (o queryOptions) named(job string) []string {
	var flags []string
	for _, ref := range append([]string{o.asked.Ref}, o.asked.MoreRefs...) {
		if ref != "" {
			flags = append(flags, "--ref", ref)
		}
	}
	for _, f := range [][2]string{{"--pipeline", o.pipeline}, {"--sha", o.asked.SHA}, {"--mr", o.mr}} {
		if f[1] != "" {
			flags = append(flags, f[:]...)
		}
	}
	return append(flags, "--job", job)
}

// jobQuery selects a command's job: by its number or address, by flags, or the running
// one.
func (o queryOptions) jobQuery(cfg env.Config, value string) (resolve.Query, error) {
	if value != "" || !o.byName() {
		project, id, err := jobAt(cfg, o.project, value)
		return resolve.Query{Project: project, JobID: id}, err
	}
	o.asked.Bare = true
	q, err := o.query(cfg)
	q.Latest = q.Latest || !q.Exact() // as the resolver reads it
	return q, err
}

// oneJob finds a command's job. If it was listed, the artifact contains its row.
func (s *session) oneJob(ctx context.Context, q resolve.Query) (resolve.Artifact, error) {
	defer s.spin("looking for the job")()
	found, err := s.resolver.Artifacts(ctx, q)
	switch {
	case err != nil:
		return resolve.Artifact{}, err
	case len(found) > 1:
		return resolve.Artifact{}, usage("that means several jobs: "+resolve.Labels(found), "give --job the full name of one, or the ID of one in place of --job")
	}
	return found[0], nil
}

// jobAt parses a project and a job: a number or a web address; empty means the running
// job.
func jobAt(cfg env.Config, project, value string) (path string, id int64, err error) {
	if path, err = projectOf(project, cfg); err != nil {
		return "", 0, err
	}
	switch {
	case value == "" && cfg.JobID == 0:
		return "", 0, errNoJob
	case value == "":
		id = cfg.JobID
	case webaddress.Is(value):
		w, err := webaddress.Parse(value, cfg.APIURL)
		if err == nil && w.JobID == 0 {
			err = usage("no job in "+value, "a job's address ends in /-/jobs/NUMBER")
		}
		if err != nil {
			return "", 0, err
		}
		if id = w.JobID; project == "" {
			path = w.Project
		}
	default:
		if id, err = webaddress.ID(value); err != nil {
			return "", 0, err
		}
	}
	if path == "" {
		return "", 0, failure.ErrNoProject
	}
	return path, id, nil
}

var errNoJob = usage("no job given", "give its ID, which is the number in its address, or the address; or name it: --ref REF --job NAME")

// typedLine returns the command line as the user typed it.
func typedLine(c *cli.Context) meant.Line {
	typed, _ := c.App.Metadata[typedArgs].([]string)
	return meant.Line{Command: c.Command.HelpName, Typed: arrange.Read(c.App, typed)}
}

// misplaced recognizes arguments that should be flags: the address of a page, REF JOB or
// JOB, as in other tools. Otherwise they would be paths that match nothing.
func misplaced(c *cli.Context) error {
	if !slices.Contains([]string{"fetch", "ls", "cat", "resolve", "explain", "keep", "delete"}, c.Command.Name) || c.Command.HelpName == "artifetch job keep" {
		return nil
	}
	args, o, line := c.Args().Slice(), readQuery(c), typedLine(c)
	if i := slices.IndexFunc(args, isAddress); i >= 0 {
		return usage(args[i]+" is an address, not a path in an archive", "did you mean: "+o.forAddress(line, args[i], slices.Delete(slices.Clone(args), i, i+1)...))
	}
	if page := webaddress.Guess(o.jobID); len(args) == 0 && page.Path != "" && takesPaths(line) {
		return usage("--job-id takes the address of a job, and this is the address of "+page.Path+" in its archive", "did you mean: "+o.forAddress(line, o.jobID))
	}
	if len(args) == 0 || slices.ContainsFunc([]string{"job", "job-id", "all"}, c.IsSet) {
		return nil
	}
	if args[0] == "jobs" && c.Command.Name == "ls" {
		return usage("no job given: an argument is a path in the archive", "to list jobs: artifetch jobs")
	}
	flags, paths := o.flagsForWords(args)
	return usage("no job given: an argument is a path in the archive", "did you mean: "+line.With(flags, paths...))
}

// takesPaths reports whether arguments of the command are paths in the archive.
func takesPaths(line meant.Line) bool {
	return slices.Contains([]string{"artifetch fetch", "artifetch ls", "artifetch cat"}, line.Command)
}

// isAddress reports whether an argument is an address of a page or for git clone.
func isAddress(word string) bool {
	_, ofRepository := checkout.Parse(word)
	return webaddress.Is(word) || ofRepository && strings.Contains(word, "@")
}

// forAddress returns the command for a page's address, with the given job and paths.
func (o queryOptions) forAddress(line meant.Line, address string, paths ...string) string {
	page := webaddress.Guess(address)
	line.Without = excludedBy(page)
	switch {
	case page.Path == "" || !takesPaths(line):
	case line.Command != "artifetch cat":
		paths = append([]string{extract.Literal(page.Path)}, paths...)
	case strings.HasSuffix(page.Path, "/"): // cat is for files
		line.Command, line.Without, paths = "artifetch ls", append(line.Without, "--output"), []string{extract.Literal(page.Path)}
	default:
		paths = append([]string{page.Path}, paths...)
	}
	if line.Command == "artifetch cat" && len(paths) == 0 && len(o.asked.Reports) == 0 {
		paths = []string{"PATH"}
	}
	return line.With(o.flagsForAddress(page, address), paths...)
}

// excludedBy returns the flags that don't go with the address of a job, a pipeline or a
// merge request.
func excludedBy(page webaddress.Page) (flags []string) {
	goes := []string{"any-status", "downstream", "wait"}
	switch {
	case page.JobID != 0 || page.Job != "":
		goes = []string{"wait"}
	case page.PipelineID == 0 && page.MergeRequest == 0:
		return nil
	}
	for _, f := range queryFlags() {
		if name := f.Names()[0]; !slices.Contains(goes, name) {
			flags = append(flags, "--"+name)
		}
	}
	return flags
}

// flagsForAddress returns the flags for a page's address, with the given job.
func (o queryOptions) flagsForAddress(page webaddress.Page, address string) []string {
	if page.JobID != 0 || page.Job != "" {
		return []string{"--job-id", cmp.Or(page.Archive, address)}
	}
	flags := []string{"--project", address, "--ref", cmp.Or(o.asked.Ref, "REF")}
	switch {
	case page.PipelineID != 0:
		flags = []string{"--pipeline", address}
	case page.MergeRequest != 0:
		flags = []string{"--mr", address}
	}
	for _, job := range o.asked.Jobs {
		flags = append(flags, "--job", job)
	}
	if len(o.asked.Jobs) == 0 {
		flags = append(flags, "--job", "NAME")
	}
	return flags
}

// flagsForWords returns the flags for ID, REF JOB or JOB, and the paths after them.
func (o queryOptions) flagsForWords(args []string) (flags, paths []string) {
	if _, err := webaddress.ID(args[0]); err == nil && len(o.given) == 0 {
		return []string{"--job-id", args[0]}, args[1:]
	}
	if len(o.given) > 0 || len(args) == 1 || strings.HasSuffix(args[1], "/") || strings.Contains(args[1], "*") || path.Ext(args[1]) != "" {
		return o.named(args[0]), args[1:]
	}
	return []string{"--ref", args[0], "--job", args[1]}, args[2:]
}
