package fetch

import "sync/atomic"

// Stats counts what a file has cost so far.
type Stats struct {
	Requests int64 // to GitLab or storage, not counting redirects
	Bytes    int64 // of bodies, as read
	Resumes  int64 // downloads that were interrupted and resumed
	Spooled  bool  // the server doesn't support ranges
	Cached   bool  // the archive was in the cache
}

// Meter counts the cost of one or several files, including those that couldn't be opened.
// The zero value is ready to use and safe for concurrent use.
type Meter struct{ requests, bytes, resumes atomic.Int64 }

// Stats returns the sums so far.
func (m *Meter) Stats() Stats {
	return Stats{Requests: m.requests.Load(), Bytes: m.bytes.Load(), Resumes: m.resumes.Load()}
}
