package failure

import (
	"path"
	"path/filepath"
	"strings"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/internal/checkout"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/internal/space"
	"gitlab.com/artifetch/artifetch/internal/webaddress"
)

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
