package fetch

import (
	"net/url"
	"sync"
	"sync/atomic"
)

// Servers remembers what servers don't support, so the next file needn't find out. The
// zero value is ready to use and safe for concurrent use.
type Servers struct {
	noSuffix, noRanges, avoided sync.Map // hosts
	avoidAll                    atomic.Bool
}

// Avoid stops following redirects to a host, because it can't be reached; with "", to any
// host. Such a redirect is a [*StorageError].
func (s *Servers) Avoid(host string) {
	if host == "" {
		s.avoidAll.Store(true)
	}
	s.avoided.Store(host, true)
}

func (s *Servers) avoids(host string) bool {
	_, avoided := s.avoided.Load(host)
	return avoided || s.avoidAll.Load()
}

// suffix reports whether a suffix range may be requested. That depends on the storage
// that GitLab redirects to, which is the same for all its archives.
func (s *Servers) suffix(address string) bool {
	_, refused := s.noSuffix.Load(host(address))
	return !refused
}

func (s *Servers) refusesSuffix(address string) { s.noSuffix.Store(host(address), true) }

// ranges reports whether ranges may be requested before the server has answered one.
func (s *Servers) ranges(address string) bool {
	_, refused := s.noRanges.Load(host(address))
	return !refused
}

func (s *Servers) refusesRanges(address string) { s.noRanges.Store(host(address), true) }

func host(address string) string {
	if u, err := url.Parse(address); err == nil {
		return u.Host
	}
	return ""
}
