package failure

import (
	"gitlab.com/artifetch/artifetch/internal/pin"
)

// lockHints say what to do if a source isn't available as locked.
var lockHints = map[pin.Reason]string{
	pin.NoRequests: "run artifetch sync without --offline once",
	pin.NotInPlace: "give --cache-dir of a cache that has it, or run artifetch sync without --offline once; artifetch verify lists the files",
	pin.Replaced:   "someone has changed the archive of a job that has ended; --update accepts the new archive",
	pin.Mislisted:  "the lock file was edited, or merged wrongly: restore it from version control; or --update locks the source again",
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
