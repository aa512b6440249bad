package failure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/sethvargo/go-envconfig"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/checkout"
	"gitlab.com/artifetch/artifetch/internal/jobs"
	"gitlab.com/artifetch/artifetch/internal/openfiles"
	"gitlab.com/artifetch/artifetch/internal/pin"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/internal/space"
	"gitlab.com/artifetch/artifetch/internal/transport"
	"gitlab.com/artifetch/artifetch/internal/webaddress"
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

func hintForArchive(h hinter) string {
	switch e := h.(type) {
	case *extract.NoMatchError:
		if e.IsDir {
			return "fetch downloads everything in it, and ls lists it; cat takes the name of a file"
		}
	case *extract.LimitError:
		if flag := map[string]string{"MaxBytes": "--max-bytes", "MaxFiles": "--max-files", "MaxRatio": "--max-ratio"}[e.Option]; flag != "" {
			return "if that is what you expect, raise " + flag
		}
	case *extract.UnsafeError:
		if e.Reason == extract.ReasonGit {
			return e.Hint() + "; --allow-git allows it"
		}
	case *extract.UnfitError:
		if e.NoLink {
			return "nothing was extracted; leave out such links with --symlinks skip, or this one with --exclude (-x)"
		}
		return "nothing was extracted; leave it out with --exclude (-x), or use another system"
	case *extract.ConflictError:
		if e.Reserved {
			return "nothing was changed; choose another file for --dotenv"
		}
		return "nothing was changed; choose another --output, or other files"
	case *space.Error:
		return "nothing was written; make room, choose another --output, or take fewer files"
	}
	return ""
}

func hintForNetwork(h hinter) string {
	switch e := h.(type) {
	case *fetch.BrokenError:
		return "the server or a proxy ends the connection; --retries and --retry-max-time allow more attempts"
	case *transport.StallError:
		return "the server or a proxy is silent; --stall-timeout allows more time"
	case *transport.SlowError:
		return "the server or the network is slow; --retry-max-time allows more time"
	case *transport.TLSError:
		return hintForTLS(e)
	case *gitlab.Error:
		if e.NotAPI() {
			return "a page answers, not GitLab's API: --server-url must be GitLab's address, with its path if it has one, and no project; a proxy that decodes %2F does the same: use the project's ID"
		}
	case *fetch.StorageError:
		return cmp.Or(Hint(e.Err), "check the network and proxies between here and GitLab's storage "+e.Host) + "; --download-mode proxy asks GitLab to send the file itself"
	}
	return ""
}

// hintForStorage is about bytes that GitLab doesn't send itself.
func hintForStorage(e *retrieve.NotProxiedError) string {
	if away, ok := errors.AsType[*fetch.StorageError](e.Err); ok && e.Auto {
		return cmp.Or(Hint(away.Err), "check the network and proxies between here and the storage") + "; " + e.Hint()
	}
	return e.Hint() + "; --download-mode auto also takes it from its storage"
}

func hintForTLS(e *transport.TLSError) string {
	switch e.Cause {
	case transport.CauseAuthority:
		hint := "if you trust it, add its certificate with --ca-file; in a job, with CI_SERVER_TLS_CA_FILE"
		if e.Proxy != "" {
			hint += "; it may belong to the proxy " + e.Proxy + ", if that decrypts traffic"
		}
		return hint
	case transport.CauseHandshake:
		return "it may require a client certificate (--cert-file, --key-file), or ciphers that are too old"
	case transport.CauseNoCertificate:
		return "give one with --cert-file and --key-file; in a job, with CI_SERVER_TLS_CERT_FILE and CI_SERVER_TLS_KEY_FILE"
	case transport.CauseCertificate:
		return "check that --cert-file (in a job, CI_SERVER_TLS_CERT_FILE) hasn't expired, and that the server trusts its authority"
	}
	return ""
}

// lockHints say what to do if a source isn't available as locked.
var lockHints = map[pin.Reason]string{
	pin.NoRequests: "run artifetch sync without --offline once",
	pin.NotInPlace: "give --cache-dir of a cache that has it, or run artifetch sync without --offline once; artifetch verify lists the files",
	pin.Replaced:   "someone has changed the archive of a job that has ended; --update accepts the new archive",
	pin.Mislisted:  "the lock file was edited, or merged wrongly: restore it from version control; or --update locks the source again",
}

func hintForRetrieval(h hinter) string {
	switch e := h.(type) {
	case *retrieve.CollisionError:
		return "nothing was changed; give each job a directory of its own: -o '" + path.Join(filepath.ToSlash(e.Dir), "{job_slug}") + "'"
	case *retrieve.NotProxiedError:
		return hintForStorage(e)
	case *retrieve.TimeoutError:
		return hintForTimeout(e)
	case *retrieve.UnlistedError:
		return "GitLab lists archives since 18.8, if the job's ID is known; leave out --server to read the archive itself"
	case *retrieve.SeveralJobsError:
		return hintForSeveral(e)
	case *retrieve.UnknownWordError:
		return "use one of " + strings.Join(e.Known, ", ") + " in --output, or no braces"
	case *retrieve.UnknownValueError:
		return hintForValue(e)
	case *checkout.ElsewhereError:
		return hintForElsewhere(e)
	case *checkout.UnclearError:
		return "give --project with an id or a full path such as group/app"
	case *webaddress.Error:
		if e.OtherServer {
			return "give --server-url, or " + e.Fix
		}
	default:
		return hintForSync(h)
	}
	return ""
}

func hintForSeveral(e *retrieve.SeveralJobsError) string {
	one := "name one job"
	if e.Reports {
		one = "give one --report"
	}
	if e.Digest {
		one += ", or leave out --sha256"
	}
	return one
}

func hintForElsewhere(e *checkout.ElsewhereError) string {
	if e.Named {
		return "give --project, or --server-url https://" + e.Host + " with a token for it"
	}
	return "if the token is for " + e.Host + ", give --server-url https://" + e.Host + " or set ARTIFETCH_SERVER_URL; else --project"
}

const danglingHint = "restore that file, or remove the link"

// hintForSync is about the lock file.
func hintForSync(h hinter) string {
	switch e := h.(type) {
	case *pin.LockError:
		return lockHints[e.Reason]
	case *pin.DriftError:
		if e.NoLock {
			return "run artifetch sync without --locked, outside CI: it writes the lock file; commit it"
		}
		return "run artifetch sync without --locked, outside CI, and commit the lock file"
	case *pin.GoneError:
		return "it has expired or was erased: artifetch sync --update " + e.Locked.Name + " takes the job that the source means now; keep releases with artifetch keep"
	case *pin.NoManifestError:
		if pin.Dangling(e.File) {
			return danglingHint
		}
		return "artifetch sync init writes one" + forManifest(e.File)
	case *pin.ExistsError:
		if pin.Dangling(e.File) {
			return danglingHint
		}
		return "artifetch sync add NAME adds a source to it" + forManifest(e.File)
	case *pin.OutsideError:
		return "choose a file below it with --lock"
	}
	return ""
}

// forManifest returns the flag that selects a manifest.
func forManifest(file string) string {
	if file == "artifetch.yml" {
		return ""
	}
	return ", with --manifest " + file
}

// hintForTimeout is for an unsuccessful wait. The error's own hint says to wait.
func hintForTimeout(e *retrieve.TimeoutError) string {
	if state, ok := errors.AsType[*resolve.StateError](e.Err); ok {
		if state.Artifact.Status == "manual" {
			return strings.TrimSpace(fmt.Sprintf("artifetch job play %d starts it; %s", state.Artifact.JobID, state.Artifact.WebURL))
		}
		return strings.TrimSpace("use a longer --wait; " + state.Artifact.WebURL)
	}
	return "use a longer --wait; " + Hint(e.Err)
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
