package cli

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/cli/internal/failure"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/messages"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
)

func extractCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name:      "extract",
		Usage:     "extract a local zip, 7z or tar archive, all files or none",
		UsageText: "artifetch extract [flags] ARCHIVE|- [PATH…]",
		Description: `ARCHIVE is a zip, a 7z, a tar in one of the usual compressions, or a single file
in one of them; - is standard input. PATH selects as for fetch. It writes all
files, or none.

  artifetch extract artifacts.zip -o out dist/
  curl -L "$URL" | artifetch extract - --unpack 1 --on-conflict fail`,
		Flags:  slices.Concat(extractionFlags(), logFlags()),
		Action: action(con, readExtract, runExtract),
	}
}

// localOptions are the options of extract.
type localOptions struct {
	global  globalOptions
	archive string // - means standard input
	extract extractOptions
	log     logOptions
}

func readExtract(c *cli.Context) (o localOptions, err error) {
	o = localOptions{global: readGlobal(c), archive: c.Args().First(), log: readLog(c)}
	if !c.Args().Present() {
		return o, usage("no archive given", "name a file, or - for standard input")
	}
	o.extract, err = readExtraction(c, c.Args().Tail())
	return o, err
}

func runExtract(ctx context.Context, o localOptions, con *console.Console) error {
	ctx, cancel := withDeadline(ctx, o.global)
	defer cancel()
	s, err := localSession(ctx, o.global, con)
	if err != nil {
		return err
	}
	start, dir := time.Now(), o.extract.dir(s.cfg)
	if strings.ContainsAny(dir, "{}") {
		return usage("--output has braces", "{job} and other words need a job; a local archive has none")
	}
	end, progress := s.section(o.log, "extract", "artifetch extract: "+o.archive), s.newProgress(o.log)
	part := progress.Part(filepath.Base(o.archive))
	local := retrieve.Local{Name: o.archive, Stdin: con.In, Dir: dir, Stage: s.stageEvents(o.extract.stage), Extract: o.extract.take, Checks: o.extract.checks}
	local.Extract.OnPlan, local.Extract.OnRead = part.Plan, part.Read
	stats, err := local.Run(ctx)
	progress.End()
	end()
	if err != nil {
		return failure.Unchanged(err)
	}
	took := time.Since(start)
	s.result().Int("files", stats.Files).Int("links", stats.Links).Int64("bytes", stats.Bytes).Float64("seconds", seconds(took)).Str("into", dir).Msg("extracted")
	s.outcome([]messages.Outcome{{Name: archiveName(o.archive), Files: stats.Files, Links: stats.Links, Bytes: stats.Bytes, Into: dir, Took: took}}, "")
	return nil
}

// archiveName describes a local archive for people.
func archiveName(file string) string {
	if file == "-" {
		return "standard input"
	}
	return file
}
