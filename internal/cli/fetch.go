package cli

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/resolve"
)

func fetchCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name:      "fetch",
		Aliases:   []string{"get"},
		Usage:     "download a job's artifacts and extract them",
		UsageText: "artifetch fetch [flags] [PATH…]",
		Description: `PATH selects files: a name, a directory (all below it) or a glob (**, *, ?, [a-z],
{a,b}). Without any, all files are taken. All files arrive, or none.

  artifetch fetch --ref main --job build
  artifetch fetch -R group/sub/lib -r v2.x -j package dist/ 'lib/**/*.so' -x '**/*.map' -o lib
  artifetch fetch --job-id 1002 --strip-components 1 report.xml`,
		Flags:  slices.Concat(queryFlags(), extractionFlags(), transferFlags(), []cli.Flag{formatFlag()}, dotenvFlags(), logFlags()),
		Action: func(c *cli.Context) error { return runFetch(c, con) },
	}
}

func runFetch(c *cli.Context, con *console.Console) error {
	return withQuery(c, con, func(ctx context.Context, s *session, q resolve.Query) error {
		o, err := newFetchOptions(c, s, q)
		if err != nil {
			return err
		}
		p := s.newProgress(readLog(c))
		s.show(p)
		end := s.section(readLog(c), "fetch", "artifetch fetch: "+q.String())
		r := retrieve.Retriever{Loader: s.loader(o.cache), Pauses: s.polls}
		done, err := r.Run(ctx, o.Options)
		p.End()
		end()
		if err = o.missing(s, err); err != nil {
			return err
		}
		return o.handOver(s, done)
	})
}

// fetchOptions are what the flags of fetch say.
type fetchOptions struct {
	retrieve.Options
	cache   retrieve.Cache
	report  dotenv // for later jobs
	asJSON  bool
	missing func(*session, error) error
}

func newFetchOptions(c *cli.Context, s *session, q resolve.Query) (fetchOptions, error) {
	o := fetchOptions{cache: readCache(c)}
	var err error
	if o.asJSON, err = wantsJSON(c); err != nil {
		return o, err
	}
	if o.report, err = newDotenv(c); err != nil {
		return o, err
	}
	if o.missing, err = ifMissing(c, "nothing fetched"); err != nil {
		return o, err
	}
	if o.Output, err = readOutput(c, s.cfg); err != nil {
		return o, err
	}
	x, err := newExtraction(c, s, c.Args().Slice())
	if err != nil {
		return o, err
	}
	x.extract.Connections = retrieve.Connections(c.Int("concurrency"))
	o.Query, o.Extract, o.Stage, o.Checks = q, x.extract, x.stage, x.checks
	o.Wait, o.Files, o.Describe = readQuery(c).wait, o.asJSON, o.report.file != ""
	o.BeforeCommit = func(done []retrieve.Result) error {
		if o.report.file == "" {
			return nil
		}
		// What cannot be handed over is better known before the files are in place.
		_, err := o.report.text(fetchedVariables(o.Output, done))
		return err
	}
	return o, nil
}

// readOutput reads --output.
func readOutput(c *cli.Context, cfg env.Config) (retrieve.Output, error) {
	o, err := retrieve.ParseOutput(workDir(c, cfg))
	if unknown, ok := errors.AsType[*retrieve.UnknownWordError](err); ok {
		return o, &usageError{"--output has braces around something else than " + strings.Join(unknown.Known, ", "), "leave them out, or use one of these words"}
	}
	return o, err
}

func readCache(c *cli.Context) retrieve.Cache {
	return retrieve.Cache{Dir: c.String("cache-dir"), Max: c.Int64("cache-max-size")}
}

// handOver says what has arrived: to people, to later jobs, to programs.
func (o fetchOptions) handOver(s *session, done []retrieve.Result) error {
	for _, r := range done {
		s.report(s.log.Info(), r, o.Output.Of(r.Artifact))
	}
	if err := o.report.write(s.log, fetchedVariables(o.Output, done), artifactsOf(done)); err != nil {
		return err
	}
	if o.asJSON {
		return s.con.Encode(s.fetchedJobs(o.Output, done))
	}
	return nil
}
