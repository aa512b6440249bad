package cli

import (
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
)

func extractCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name:      "extract",
		Usage:     "extract a local archive by the same rules",
		UsageText: "artifetch extract [flags] ARCHIVE|- [PATH…]",
		Description: `ARCHIVE is a zip, a 7z, a tar in one of the usual compressions, or a single file
in one of them; - is standard input. PATH selects as for fetch. All files arrive,
or none.

  artifetch extract artifacts.zip -o out dist/
  curl -L "$URL" | artifetch extract - --unpack 1 --on-conflict fail`,
		Flags:  slices.Concat(extractionFlags(), logFlags()),
		Action: func(c *cli.Context) error { return runExtract(c, con) },
	}
}

func runExtract(c *cli.Context, con *console.Console) error {
	if !c.Args().Present() {
		return &usageError{"no archive given", "name a file, or - for standard input"}
	}
	ctx, cancel := withDeadline(c.Context, readGlobal(c))
	defer cancel()
	s, err := localSession(ctx, readGlobal(c), con)
	if err != nil {
		return err
	}
	start := time.Now()
	x, err := newExtraction(c, s, c.Args().Tail())
	if err != nil {
		return err
	}
	dir := workDir(c, s.cfg)
	if strings.ContainsAny(dir, "{}") {
		return &usageError{"--output has braces", "{job} and the like are known of jobs, not of a local archive"}
	}
	end, progress := s.section(readLog(c), "extract", "artifetch extract: "+c.Args().First()), s.newProgress(readLog(c))
	part := progress.Part()
	x.extract.OnPlan, x.extract.OnRead = part.Plan, part.Read
	local := retrieve.Local{Name: c.Args().First(), Stdin: con.In, Dir: dir, Stage: x.stage, Extract: x.extract, Checks: x.checks}
	stats, err := local.Run(ctx)
	progress.End()
	end()
	if err != nil {
		return err
	}
	s.log.Info().Int("files", stats.Files).Str("extracted", console.Size(stats.Bytes)).Stringer("took", time.Since(start).Round(time.Millisecond)).Str("into", dir).Msg("extracted")
	return nil
}
