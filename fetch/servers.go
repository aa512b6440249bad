package fetch

import (
	"net/url"
	"sync"
)

// Servers remembers what servers cannot do, so that the next file doesn't have to
// find out. The zero value is ready to use, by any number of goroutines.
type Servers struct{ noSuffix sync.Map } // of hosts

// suffix reports whether the last bytes of a file may be asked for by a suffix range.
// That is up to the storage that GitLab redirects to; all its archives are there.
func (s *Servers) suffix(address string) bool {
	_, refused := s.noSuffix.Load(host(address))
	return !refused
}

func (s *Servers) refusesSuffix(address string) { s.noSuffix.Store(host(address), true) }

func host(address string) string {
	if u, err := url.Parse(address); err == nil {
		return u.Host
	}
	return ""
}
