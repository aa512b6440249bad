package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/failure"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/pin"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/internal/webaddress"
	"gitlab.com/artifetch/artifetch/manifest"
	"gitlab.com/artifetch/artifetch/resolve"
)

// reworded changes the help of flags that have another meaning here.
func reworded(flags []cli.Flag, usages ...[2]string) []cli.Flag {
	for _, f := range flags {
		for _, u := range usages {
			if f.Names()[0] != u[0] {
				continue
			}
			switch f := f.(type) {
			case *cli.StringFlag:
				f.Usage = u[1]
			case *cli.StringSliceFlag:
				f.Usage = u[1]
			}
		}
	}
	return flags
}

func syncInitCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name: "init", Usage: "write a first manifest, with a source for each job that has artifacts", UsageText: "artifetch sync init [flags]",
		Description: `Asks GitLab for the jobs of the newest successful pipeline of --ref, or of the default
branch, and writes artifetch.yml with comments, for you to edit. It never replaces a file.

  artifetch sync init
  artifetch sync init --project group/app --ref main`,
		Flags:  slices.Concat(reworded(only(queryFlags(), "project", "ref"), [2]string{"ref", "branch or tag `REF` (default: the default branch)"}), only(manifestFlags(), "manifest")),
		Action: action(con, readSyncInit, runSyncInit),
	}
}

// initOptions are the options of sync init.
type initOptions struct {
	global globalOptions
	query  queryOptions
	file   string
}

func readSyncInit(c *cli.Context) (initOptions, error) {
	o := initOptions{readGlobal(c), readQuery(c), readManifest(c).manifest}
	if c.Args().Present() {
		return o, usage("sync init takes no argument", "--manifest names the file; artifetch sync add NAME adds a source")
	}
	if strings.EqualFold(filepath.Ext(o.file), ".json") {
		return o, usage("sync init writes YAML, with comments, which "+o.file+" can't have", "choose a name that ends in .yml")
	}
	o.query.asked.Jobs = []string{"*"}
	o.query.asked.Ref = cmp.Or(o.query.asked.Ref, resolve.DefaultBranch)
	return o, nil
}

func runSyncInit(ctx context.Context, o initOptions, con *console.Console) error {
	if err := pin.CheckNew(o.file); err != nil {
		return err // before asking the user
	}
	return withQuery(ctx, o.global, o.query, con, func(ctx context.Context, s *session, q resolve.Query) error {
		end := s.spin("looking for jobs")
		found, err := s.resolver.Artifacts(ctx, q)
		end()
		if !slices.Contains(o.query.given, "ref") { // a given ref may be misspelled
			err = s.noneYet(err)
		}
		if err != nil {
			return err
		}
		draft := s.draft(q, found)
		done, err := s.turn(ctx, o.file)
		if err != nil {
			return err
		}
		defer done()
		if err := pin.Init(o.file, draft); err != nil {
			return err
		}
		s.log.Info().Str("path", o.file).Int("sources", len(draft.Jobs)).Msg("written")
		return nil
	})
}

// noneYet returns err, unless the project simply has no job with artifacts.
func (s *session) noneYet(err error) error {
	if !retrieve.Missing(err) || hasReason(err, resolve.ReasonProject) {
		return err
	}
	s.log.Warn().Err(err).Msg("the manifest has no sources yet")
	return nil
}

func hasReason(err error, reason resolve.Reason) bool {
	missing, ok := errors.AsType[*resolve.NotFoundError](err)
	return ok && missing.Reason() == reason
}

// draft returns a manifest with the jobs that were found.
func (s *session) draft(q resolve.Query, found []resolve.Artifact) manifest.Draft {
	d := manifest.Draft{Project: q.Project, Ref: q.Ref}
	if q.Project == s.cfg.Project {
		d.Project = cmp.Or(s.cfg.ProjectPath, q.Project)
	}
	slices.SortFunc(found, func(a, b resolve.Artifact) int { return cmp.Compare(a.JobID, b.JobID) })
	for _, a := range found {
		d.Project, d.Ref = cmp.Or(s.projectPath(a.WebURL), d.Project), cmp.Or(a.Ref, d.Ref)
		d.Jobs = append(d.Jobs, manifest.DraftJob{Name: a.JobName, About: about(a)})
	}
	d.Found = pipelinesOf(found)
	return d
}

// pipelinesOf names the pipelines of jobs: a parent was created before its children.
func pipelinesOf(found []resolve.Artifact) string {
	if len(found) == 0 {
		return ""
	}
	older := func(a, b resolve.Artifact) int { return cmp.Compare(a.PipelineID, b.PipelineID) }
	first, last := slices.MinFunc(found, older).PipelineID, slices.MaxFunc(found, older).PipelineID
	if first == last {
		return fmt.Sprintf("pipeline %d", first)
	}
	return fmt.Sprintf("pipeline %d and its child pipelines", first)
}

// about returns what people may want to know before fetching an archive.
func about(a resolve.Artifact) string {
	text := console.Size(a.Size)
	if a.Failed() {
		text += ", of a job with the status " + a.Status
	}
	if a.ExpireAt != nil && a.ExpireAt.Before(time.Now()) {
		text += ", expired on " + a.ExpireAt.Format(time.DateOnly)
	}
	return text
}

func syncAddCommand(con *console.Console) *cli.Command {
	keys := append(manifest.Keys(), "include")
	return &cli.Command{
		Name: "add", Usage: "add a source to the manifest, fetch it and lock it", UsageText: "artifetch sync add NAME [flags] [PATH…]",
		Description: `Takes PATH and the flags of fetch that are keys of a manifest. The manifest keeps its
comments and order, and all other sources stay as they are locked. If anything fails,
nothing changes.

  artifetch sync add app --job build --output vendor/app dist/
  artifetch sync add lib -R group/lib --ref v1.0 --job package -o vendor/lib`,
		Flags: reworded(slices.Concat(only(queryFlags(), keys...), []cli.Flag{reportFlag()}, only(extractionFlags(), keys...), []cli.Flag{ifMissingFlag()}, manifestFlags(), transferFlags(""), logFlags()),
			[2]string{"project", "`PROJECT` id, path or address (default: the manifest's, $CI_PROJECT_ID, or the checkout's)"},
			[2]string{"ref", "branch or tag `REF`, or @default (default: the manifest's); may be repeated"},
			[2]string{"job", "job `NAME`, in full"},
			[2]string{"pipeline", "`ID` or address, or latest (of --ref); any status"},
			[2]string{"report", "take report `TYPE` (junit, …), not the archive"},
			[2]string{"output", "`DIR` for the files, relative to the manifest's directory (default: that directory)"}),
		Action: action(con, readSyncAdd, runSyncAdd),
	}
}

// addOptions are the options of sync add.
type addOptions struct {
	sync    syncOptions
	query   queryOptions
	extract extractOptions
	missing missingPolicy
	name    string
}

func readSyncAdd(c *cli.Context) (o addOptions, err error) {
	o = addOptions{query: readQuery(c), name: c.Args().First(), sync: syncOptions{global: readGlobal(c), files: readManifest(c), transfer: readTransfer(c), log: readLog(c), lockedSet: true}}
	o.sync.pin = pin.Options{Only: []string{o.name}, Connections: o.sync.transfer.connections}
	if o.name == "" {
		return o, usage("sync add needs a name for the source", "for example: artifetch sync add app --job build --output app")
	}
	if o.extract, err = readExtraction(c, c.Args().Tail()); err != nil {
		return o, err
	}
	if o.missing, err = readMissing(c); err != nil {
		return o, err
	}
	switch {
	case len(o.query.asked.Jobs) > 1:
		return o, usage("a source is one job", "add a source for each")
	case len(o.query.asked.Reports) > 1:
		return o, usage("a source takes one report", "add a source for each")
	case strings.ContainsAny(o.extract.output, "{}"):
		return o, usage("the output of a source has no words in braces", "name the directory")
	}
	return o, nil
}

func runSyncAdd(ctx context.Context, o addOptions, con *console.Console) error {
	ctx, cancel := withDeadline(ctx, o.sync.global)
	defer cancel()
	w, err := o.sync.open(ctx)
	if err != nil {
		return err
	}
	o.sync.global.anyProject = o.sync.global.anyProject && w.Manifest.Defaults.Project == ""
	return connected(ctx, o.sync.global, con, func(ctx context.Context, s *session) error {
		// The run before may have changed the manifest.
		return o.sync.inTurn(ctx, s, func(w pin.Workspace) error {
			defaults := w.Manifest.Defaults
			source, err := o.source(s.cfg, defaults)
			if err != nil {
				return err
			}
			if w, err = w.Add(source); err != nil {
				return lacks(err, source, defaults)
			}
			return o.sync.synchronize(ctx, s, o.sync.syncer(s, w))
		})
	})
}

// lacks says in flags what a source lacks, if that is why it can't be added.
func lacks(err error, s manifest.Source, defaults manifest.Query) error {
	byID := s.JobID != 0 || defaults.JobID != 0
	named := byID || s.Pipeline != "" && s.Pipeline != "latest" || s.SHA != "" || s.MR != 0
	switch {
	case s.Project == "" && defaults.Project == "":
		return failure.ErrNoProject
	case !byID && s.Job == "" && defaults.Job == "":
		return usage(fmt.Sprintf("source %q names no job", s.Name), "give --job with its name, or --job-id")
	case !named && len(s.Ref)+len(defaults.Ref) == 0:
		return usage(fmt.Sprintf("source %q has no ref", s.Name), "give --ref with a branch or tag; --ref @default is the default branch")
	}
	return err
}

// source returns the flags as keys of a manifest.
func (o addOptions) source(cfg env.Config, defaults manifest.Query) (manifest.Source, error) {
	q, asked := o.query.asked, o.query
	q.Project = asked.project
	reads := []func(env.Config, *resolve.Query) error{projectIn, asked.jobIn, asked.mergeRequestIn}
	if webaddress.Is(asked.pipeline) {
		reads = append(reads, pipelineIn(asked.pipeline))
	}
	for _, read := range reads {
		if err := read(cfg, &q); err != nil {
			return manifest.Source{}, err
		}
	}
	if q.Project == "" && defaults.Project == "" {
		q.Project = cmp.Or(cfg.ProjectPath, cfg.Project)
	}
	take := o.extract.take
	s := manifest.Source{Name: o.name, Query: manifest.Query{
		Project: q.Project, JobID: q.JobID, Pipeline: asked.pipeline, SHA: q.SHA, MR: q.MergeRequest, Recent: q.Recent, AnyPipeline: q.AnyPipeline, Sources: q.Sources,
		RequireSuccess: q.RequireSuccess, AnyStatus: q.AnyStatus, Downstream: q.Downstream, Paths: take.Include, Exclude: take.Exclude, Output: o.extract.output,
		StripComponents: take.StripComponents, Flat: take.Flat, IfMissing: strings.TrimPrefix(string(o.missing), "fail"), SHA256: o.extract.checks.SHA256,
	}}
	if q.PipelineID != 0 {
		s.Pipeline = strconv.FormatInt(q.PipelineID, 10)
	}
	if q.Ref != "" {
		s.Ref = append([]string{q.Ref}, q.MoreRefs...)
	}
	if len(q.Jobs) > 0 {
		s.Job = q.Jobs[0]
	}
	if len(q.Reports) > 0 {
		s.Report = q.Reports[0]
	}
	return s, nil
}
