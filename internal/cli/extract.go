package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/ctxio"
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
	stats, err := x.run(ctx, c.Args().First(), con.In, dir)
	progress.End()
	end()
	if err != nil {
		return err
	}
	s.log.Info().Int("files", stats.Files).Str("extracted", console.Size(stats.Bytes)).Stringer("took", time.Since(start).Round(time.Millisecond)).Str("into", dir).Msg("extracted")
	return nil
}

// run extracts one local archive into a staging directory and commits that.
func (x *extraction) run(ctx context.Context, name string, in io.Reader, dir string) (extract.Stats, error) {
	// An archive that is not there must not leave a new directory behind.
	var archive *os.File
	if name != "-" {
		f, err := ctxio.Await(ctx, func() (*os.File, error) { return os.Open(name) }) // it may be a pipe
		if err != nil {
			return extract.Stats{}, err
		}
		defer func() { _ = f.Close() }() // only read
		archive, in = f, f
		x.extract.BareName = extract.BareName(filepath.Base(name))
	}
	stage, err := extract.NewStage(dir, x.stage)
	if err != nil {
		return extract.Stats{}, err
	}
	defer func() { _ = stage.Discard() }() // after Commit there is nothing to discard
	if archive, err = seekable(archive, ctxio.Abandon(ctx, in), stage.Path()); err != nil {
		return extract.Stats{}, err
	}
	defer func() { _ = archive.Close() }() // idem; what was spooled goes with the stage
	stats, err := x.add(ctx, stage, archive)
	if err != nil {
		if e, ok := errors.AsType[*extract.NotArchiveError](err); ok {
			e.Local = true
		}
		return extract.Stats{}, fmt.Errorf("%s: %w", name, err)
	}
	return stats, stage.Commit(ctx)
}

// seekable makes a file in dir of what is none.
func seekable(f *os.File, in io.Reader, dir string) (*os.File, error) {
	if f != nil {
		if info, err := f.Stat(); err != nil || info.Mode().IsRegular() {
			return f, err
		}
	}
	spool, err := os.CreateTemp(dir, "spool-*")
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(spool, in); err != nil {
		return nil, errors.Join(err, spool.Close())
	}
	return spool, nil
}

func (x *extraction) add(ctx context.Context, stage *extract.Stage, archive *os.File) (extract.Stats, error) {
	info, err := archive.Stat()
	if err != nil {
		return extract.Stats{}, err
	}
	src := extract.FromReaderAt(archive, info.Size())
	if x.sha256 != "" {
		got, err := sumOf(ctx, io.NewSectionReader(archive, 0, info.Size()))
		if err != nil {
			return extract.Stats{}, err
		}
		if got != x.sha256 {
			return extract.Stats{}, &fetch.DigestError{Got: got, Want: x.sha256, Asked: true}
		}
	}
	if x.provenance {
		stated, err := extract.ReadStatement(ctx, src)
		if err != nil {
			return extract.Stats{}, err
		}
		x.extract.Digests = stated.Digests
	}
	return stage.Add(ctx, src, x.extract)
}

// sumOf is the SHA-256 of a file's content, in hexadecimal.
func sumOf(ctx context.Context, content io.Reader) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, ctxio.Reader(ctx, content)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
