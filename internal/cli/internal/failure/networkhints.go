package failure

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/internal/transport"
	"gitlab.com/artifetch/artifetch/resolve"
)

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
