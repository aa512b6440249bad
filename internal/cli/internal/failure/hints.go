package failure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/sethvargo/go-envconfig"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/internal/checkout"
	"gitlab.com/artifetch/artifetch/internal/jobs"
	"gitlab.com/artifetch/artifetch/internal/openfiles"
	"gitlab.com/artifetch/artifetch/resolve"
)

// This is the table of hints that name flags, by the type of the error. Packages below
// the command line don't know its flags: their errors carry facts and hints that suit any
// program.

// hintFor returns what to do about an error in terms of the command line, or "" if the
// error's own hint is enough.
func hintFor(err error) string {
	h, ok := asHinter(err)
	if !ok {
		return ""
	}
	for _, table := range []func(hinter) string{hintForQuery, hintForAction, hintForRetrieval, hintForArchive, hintForNetwork} {
		if hint := table(h); hint != "" {
			return hint
		}
	}
	return ""
}

// Hint returns the error's own hint, or a better one with flags, or "".
func Hint(err error) string {
	if h, ok := asHinter(err); ok {
		return cmp.Or(hintFor(err), h.Hint())
	}
	return ""
}

// flagNames replaces the names of variables that package env reads by those of flags.
var flagNames = strings.NewReplacer(
	"ARTIFETCH_SERVER_URL=", "--server-url ", "ARTIFETCH_SERVER_URL", "--server-url",
	"ARTIFETCH_HEADER_FILE", "--header-file",
	"ARTIFETCH_TOKEN_FILE=", "--token-file ", "ARTIFETCH_TOKEN_FILE", "--token-file",
	"ARTIFETCH_TOKEN_TYPE=", "--token-type ", "ARTIFETCH_TOKEN_TYPE", "--token-type",
)

// LoadEnv reads the environment, and reports errors in terms of flags.
func LoadEnv(ctx context.Context, l envconfig.Lookuper) (env.Config, error) {
	cfg, err := env.Load(ctx, l)
	cfg.Token.Source = flagNames.Replace(cfg.Token.Source)
	if e, ok := errors.AsType[*env.UsageError](err); ok {
		err = &env.UsageError{Name: flagNames.Replace(e.Name), Reason: flagNames.Replace(e.Reason), Fix: flagNames.Replace(e.Fix)}
	}
	return cfg, err
}

func hintForAction(h hinter) string {
	switch e := h.(type) {
	case *jobs.WaitingError:
		return fmt.Sprintf("artifetch job play %d", e.Job)
	case *jobs.UnsureError:
		if e.Job != 0 {
			return fmt.Sprintf("%s: artifetch job show %d", e.Hint(), e.Job)
		}
	}
	return ""
}

// Remedy returns what to do about an explained error.
func Remedy(why resolve.Explanation, err error) string {
	if is[*anonymousError](err) {
		return Hint(err)
	}
	switch why.Remedy {
	case resolve.RemedyWait:
		return "--wait DURATION waits for it; --pipeline latest takes it, whatever its status"
	case resolve.RemedyPipeline:
		return fmt.Sprintf("--pipeline %d takes it from there; leave out --ref", why.PipelineID)
	case resolve.RemedyRecent:
		return "--recent takes it from the newest successful pipeline that has it"
	case resolve.RemedyPlay:
		if is[*resolve.StateError](err) {
			return hintToPlay(why.JobID)
		}
		return fmt.Sprintf("artifetch job play %d starts it; --pipeline latest takes what is there", why.JobID)
	case resolve.RemedyJob:
		return fmt.Sprintf("--job-id %d takes that job", why.JobID)
	case resolve.RemedyAny:
		return "--any-pipeline takes a job that has succeeded, even if its pipeline has not; --pipeline latest takes the newest pipeline, whatever its status"
	case resolve.RemedyStatus:
		return fmt.Sprintf("--pipeline %d --any-status takes it, whatever its status; leave out other flags that select a pipeline", why.PipelineID)
	case resolve.RemedySource:
		return "give --source one of these, or leave it out"
	case resolve.RemedyFirst:
		return "--any-pipeline also takes a job of a pipeline that has not succeeded; --if-missing ignore continues without it; another --ref may have one"
	case resolve.RemedyLicence:
		return "job tokens on the artifacts API need Premium; set GITLAB_TOKEN to a token with read_api, or name the job by --job-id"
	case resolve.RemedyToken:
		return "a job token is valid only while its job runs: run this in a job, or set GITLAB_TOKEN"
	}
	return strings.Replace(Hint(err), explainHint, "", 1)
}

func hintForElsewhere(e *checkout.ElsewhereError) string {
	if e.Named {
		return "give --project, or --server-url https://" + e.Host + " with a token for it"
	}
	return "if the token is for " + e.Host + ", give --server-url https://" + e.Host + " or set ARTIFETCH_SERVER_URL; else --project"
}

// localHint returns what to do about a local error without its own hint, or "".
func localHint(err error) string {
	if Of(err) != CodeLocal || ofOutput(err) { // the shell chose where output goes
		return ""
	}
	if openfiles.Exhausted(err) {
		return "raise the limit of open files (ulimit -n), or lower --concurrency"
	}
	for _, known := range []struct {
		err  error
		hint string
	}{
		{syscall.EFBIG, "raise the limit of file sizes (ulimit -f)"},
		{syscall.EDQUOT, "free some of your disk quota, or choose a directory on another disk"},
		{syscall.ENOSPC, "free some space or inodes (df -i), or choose a directory on another disk"},
		{syscall.EXDEV, "a directory below --output is on another file system: extract what goes there with an --output of its own"},
		{syscall.EROFS, "choose a directory that is not on a read-only file system"},
		{syscall.ESTALE, "run it again: the network file system has lost the directory"},
		{syscall.EIO, "check the disk for failures (dmesg)"},
		{fs.ErrPermission, "check the owner and permissions of the file and its directory, and attributes such as immutable (lsattr)"},
	} {
		if errors.Is(err, known.err) {
			return known.hint
		}
	}
	return ""
}
