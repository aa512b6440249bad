package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/sethvargo/go-envconfig"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/jobs"
	"gitlab.com/artifetch/artifetch/internal/space"
	"gitlab.com/artifetch/artifetch/internal/transport"
	"gitlab.com/artifetch/artifetch/resolve"
)

// This is the table of hints that name flags, by the type of the error. Packages below
// the command line know no flags: their errors carry facts, and hints of their own that
// would do for any program.

// hintFor returns what to do about an error in the words of the command line, or "" if
// the error's own hint says it.
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

// ownHint returns the hint of the error itself, with flags where the command line knows
// better, or "".
func ownHint(err error) string {
	if h, ok := asHinter(err); ok {
		return cmp.Or(hintFor(err), h.Hint())
	}
	return ""
}

// flagNames puts the names of flags in place of those of the variables that package env
// reads them by.
var flagNames = strings.NewReplacer(
	"ARTIFETCH_SERVER_URL=", "--server-url ", "ARTIFETCH_SERVER_URL", "--server-url",
	"ARTIFETCH_TOKEN_FILE=", "--token-file ", "ARTIFETCH_TOKEN_FILE", "--token-file",
	"ARTIFETCH_TOKEN_TYPE=", "--token-type ", "ARTIFETCH_TOKEN_TYPE", "--token-type",
)

// loadEnv reads the environment, and what is wrong with it in the words of flags.
func loadEnv(ctx context.Context, l envconfig.Lookuper) (env.Config, error) {
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

func hintForQuery(h hinter) string {
	switch e := h.(type) {
	case *resolve.NotFoundError:
		return hintForMissing(e)
	case *resolve.StateError:
		if e.Final() {
			return strings.TrimSpace("--any-status takes its artifacts all the same; " + e.Artifact.WebURL)
		}
		return strings.TrimSpace("--wait DURATION waits for it; " + e.Artifact.WebURL)
	case *resolve.ClosedError:
		return "job tokens list jobs since about GitLab 18.5, pipelines since 19.2: set GITLAB_TOKEN to a token with read_api, or name the job by --job-id"
	case *resolve.DownstreamError:
		return hintForDownstream(e)
	}
	return ""
}

func hintForDownstream(e *resolve.DownstreamError) string {
	refusal, ok := errors.AsType[*gitlab.Error](e.Err)
	switch {
	case e.Project == "":
		return "job tokens list trigger jobs since GitLab 19.2: set GITLAB_TOKEN to a token with read_api, or name the downstream project with --project"
	case ok && refusal.StatusCode == http.StatusForbidden:
		return "" // its own says what the token lacks
	}
	return fmt.Sprintf("give the token's user access to project %s, or leave out --downstream", e.Project)
}

func hintForMissing(e *resolve.NotFoundError) string {
	if hint := hintForRef(e); hint != "" {
		return hint
	}
	switch e.What {
	case "successful pipeline":
		return "check the ref's spelling (no refs/heads/); a pipeline that runs, failed or waits for a manual job does not count: --pipeline latest takes it"
	case "pipeline":
		return "a pipeline's id is the number in its address; it must be of this project: check --project"
	case "job id":
		return "a job's id is the number in its address; it must be of this project: check --project"
	case "job":
		return `check the job's full name ("test 1/3", "build: [linux, amd64]")` + hintForJob(e.Query)
	}
	return ""
}

func hintForJob(q resolve.Query) string {
	switch {
	case q.Recent:
		return "; --max-age may end the search early, and GitLab before 18.10 does not know it with this token"
	case q.Exact() && q.Downstream:
		return ""
	case q.Exact():
		return "; jobs of other projects' pipelines need --downstream"
	}
	return ", and that the newest successful pipeline has it; --recent looks further back"
}

// hintForRef is about a ref that isn't the name of a branch or tag.
func hintForRef(e *resolve.NotFoundError) string {
	switch mistake, name := e.RefMistake(); mistake {
	case resolve.RefHead:
		return `pipelines belong to branches and tags: find those of a commit with --sha "$(git rev-parse HEAD)"`
	case resolve.RefCommit:
		return "pipelines belong to branches and tags, and this looks like a commit: use --sha with the full commit SHA"
	case resolve.RefLong:
		return "use the short name: --ref " + name
	case resolve.RefEncoded:
		return "use the name as Git has it: --ref " + name
	}
	return ""
}

// remedyFor returns what to do about an error that was explained.
func remedyFor(why resolve.Explanation, err error) string {
	switch why.Remedy {
	case resolve.RemedyWait:
		return "--wait DURATION waits for it; --pipeline latest takes it as it is"
	case resolve.RemedyPipeline:
		return fmt.Sprintf("--pipeline %d takes it from there", why.PipelineID)
	case resolve.RemedyRecent:
		return "--recent takes it from the newest successful pipeline that has it"
	case resolve.RemedyLicence:
		return "job tokens on the artifacts API need Premium; set GITLAB_TOKEN to a token with read_api, or name the job by --job-id"
	case resolve.RemedyToken:
		return "a job token is valid only while its job runs: run this inside of a job, or set GITLAB_TOKEN"
	}
	return ownHint(err)
}

func hintForArchive(h hinter) string {
	switch e := h.(type) {
	case *extract.LimitError:
		if flag := map[string]string{"MaxBytes": "--max-bytes", "MaxFiles": "--max-files", "MaxRatio": "--max-ratio"}[e.Option]; flag != "" {
			return "if that is what you expect, raise " + flag
		}
	case *extract.UnsafeError:
		if e.Reason == extract.ReasonGit {
			return e.Hint() + ", or let it with --allow-git"
		}
	case *extract.UnfitError:
		return "nothing was extracted; leave it out with --exclude (-x), or use another system"
	case *extract.ConflictError:
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
	}
	return ""
}

func hintForTLS(e *transport.TLSError) string {
	switch e.Cause {
	case transport.CauseAuthority:
		hint := "if you trust that one, --ca-file names a file with its certificate; in a job CI_SERVER_TLS_CA_FILE does"
		if e.Proxy != "" {
			hint += "; it may be that of the proxy " + e.Proxy + ", if that reads what passes"
		}
		return hint
	case transport.CauseHandshake:
		return "it may want a client certificate (--cert-file, --key-file), or speak ciphers that are too old"
	case transport.CauseNoCertificate:
		return "--cert-file and --key-file name one and its key; in a job CI_SERVER_TLS_CERT_FILE and CI_SERVER_TLS_KEY_FILE do"
	case transport.CauseCertificate:
		return "is that of --cert-file (in a job CI_SERVER_TLS_CERT_FILE) still valid, and signed by whom the server trusts?"
	}
	return ""
}
