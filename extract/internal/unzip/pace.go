package unzip

import (
	"runtime"
	"time"
)

// Pace says how hard to work on an archive. The zero value is ready to use.
type Pace struct {
	// Workers is how many regions are read and decompressed at the same time to
	// begin with. Zero means one per CPU, and one.
	Workers int
	// Connections is how many there may be at most, if more of them bring more bytes.
	// Zero means no more than Workers.
	Connections int
	// RoundTrip is how far away the server is: the farther, the later a new connection
	// is of use. Zero means near.
	RoundTrip time.Duration
	// Share is how many archives are added at the same time: each takes its part of
	// the memory for large entries. Zero means one.
	Share int
	// Costly means that each request is expensive for the server, as it is if GitLab
	// itself serves the bytes and not its object storage: fewer and longer requests
	// are made.
	Costly bool
	// Refusals returns how many requests the server has refused or broken off so
	// far. When that rises, half of the connections are given up. Nil means none.
	Refusals func() int64
}

// costlyConnections is how many requests are made at once if they are costly.
const costlyConnections = 4

// withDefaults fills in what is zero.
func (p Pace) withDefaults() Pace {
	if p.Workers <= 0 {
		p.Workers = runtime.GOMAXPROCS(0) + 1 // one may wait for bytes
	}
	if p.Connections <= 0 {
		p.Connections = p.Workers
	}
	if p.Costly {
		p.Connections = min(p.Connections, costlyConnections)
	}
	p.Workers = min(p.Workers, p.Connections)
	if p.Refusals == nil {
		p.Refusals = func() int64 { return 0 }
	}
	p.Share = max(p.Share, 1)
	return p
}
