package pin

// drift returns a [*DriftError] if the lock file and the manifest disagree: a source isn't
// locked, or is locked as something else, or isn't in the manifest anymore.
func (w Workspace) drift() error {
	var found []string
	for _, s := range w.Manifest.Sources {
		entry, ok := w.Lock.Find(s.Name)
		switch {
		case !ok:
			found = append(found, s.Name+": not locked")
		case !entry.IsFor(s):
			found = append(found, s.Name+": "+entry.Difference(s))
		}
	}
	for _, entry := range w.Lock.Sources {
		if !w.Has(entry.Name) {
			found = append(found, entry.Name+": locked, but not in the manifest")
		}
	}
	if len(found) == 0 {
		return nil
	}
	return &DriftError{LockFile: w.LockFile, NoLock: !w.HasLock, Differences: found}
}
