package fetch

import "sync/atomic"

// Stats counts what a file cost so far.
type Stats struct {
	Requests int64 // to GitLab or storage, redirects not counted
	Bytes    int64 // of bodies, as read
	Resumes  int64 // transfers that broke off and were continued
	Spooled  bool  // the server has no ranges
	Cached   bool  // the archive was in the cache
}

// counters are Stats that may be added to concurrently.
type counters struct{ requests, bytes, resumes atomic.Int64 }

func (c *counters) load() Stats {
	return Stats{Requests: c.requests.Load(), Bytes: c.bytes.Load(), Resumes: c.resumes.Load()}
}
