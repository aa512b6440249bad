package gitlabtest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/feature"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/storage"
)

// Mode is how bytes are served.
// https://docs.gitlab.com/administration/object_storage/
type Mode string

// The modes.
const (
	ModeDisk     Mode = "disk"     // X-Sendfile by Workhorse: ranges, ETag
	ModeProxy    Mode = "proxy"    // object storage, proxied by Workhorse
	ModeRedirect Mode = "redirect" // 302 to a pre-signed URL of object storage
	ModeNoRanges Mode = "noranges" // a proxy in between drops Range
	ModeNoLength Mode = "nolength" // and the length as well
)

// Options are what the instance is. The zero value is a licensed instance of the
// newest version that serves from disk.
type Options struct {
	Version string // "19.4" if empty
	// Since says from which version on the instance has a feature, such as
	// {"job token: commits": "18.5"} or {"file_type": "never"}, in place of the
	// table of package feature, which names them.
	Since      map[string]string
	Unlicensed bool // without the licence for job tokens on the artifacts API
	Mode       Mode // ModeDisk if empty
	// DownloadModes are the allowed_download_modes of object storage, out of
	// "direct" and "proxy", which ?download_mode= may ask for. They must include
	// what Mode does without being asked (config/object_store_settings.rb).
	DownloadModes []string
	// RefusedMode is the status of a request for a mode that isn't allowed (U). Zero
	// means that the request is answered as if it had named none.
	RefusedMode int
	// StorageDown makes object storage unreachable for clients, while GitLab
	// reaches it and can proxy: "refused" (nothing listens), "no-name" (its name
	// does not resolve), "untrusted" (TLS with a certificate that clients don't trust),
	// "silent" (connections, but no answer), "black-hole" (no connection either).
	// Only [Start] and [StartTLS] know it.
	StorageDown   string
	NoSuffixRange bool          // storage ignores suffix ranges, as Azure's does
	SuffixStatus  int           // storage refuses them with this status, as Azure's emulator with 500; zero means it doesn't
	Deaf          bool          // storage ignores If-None-Match, as fake-gcs-server does
	URLExpiry     time.Duration // of pre-signed URLs; zero means 10 minutes
	RelativeRoot  string        // such as "/gitlab"
	PerPage       int           // rows of a page, at most; zero means 100
	LinkHost      string        // host that Link headers name; empty means the true one
	// ShiftRows is how many new jobs or pipelines, at most a page of them, have come
	// to the front of every list once its first page was served: the pages behind it
	// begin that much earlier, and repeat rows.
	// https://docs.gitlab.com/api/rest/#offset-based-pagination
	ShiftRows int
	// MaxOffset is where the offset pages of a list that has keyset pages end; zero
	// means 50000.
	// https://docs.gitlab.com/administration/instance_limits/#max-offset-allowed-by-the-rest-api-for-offset-based-pagination
	MaxOffset int
	NoKeyset  bool // no list has keyset pages
	// MaxArtifact is the largest artifact that may be uploaded, in bytes; zero means
	// 100 MiB. https://docs.gitlab.com/administration/settings/continuous_integration/#maximum-artifacts-size
	MaxArtifact int64
	// ExtraFields are added to every object with an id in every JSON answer, as
	// newer versions add fields that a client does not know.
	ExtraFields map[string]any
	Limits      *Limits // nil means that nothing is limited
	Faults      []Fault
	Now         func() time.Time // nil means the clock
}

// complete fills in the defaults.
func (o *Options) complete() {
	o.Version = cmp.Or(o.Version, feature.Newest)
	o.Mode = cmp.Or(o.Mode, ModeDisk)
	o.URLExpiry = cmp.Or(o.URLExpiry, 10*time.Minute)
	o.PerPage = cmp.Or(o.PerPage, 100)
	o.MaxOffset = cmp.Or(o.MaxOffset, 50000)
	o.MaxArtifact = cmp.Or(o.MaxArtifact, 100<<20)
	if o.Now == nil {
		o.Now = time.Now
	}
}

// check refuses what no instance could be: a test that set it would test
// something else.
func (o *Options) check() error {
	for _, mode := range o.DownloadModes {
		if mode != modeDirect && mode != modeProxied {
			return fmt.Errorf("Options.DownloadModes: no mode %q", mode)
		}
	}
	if len(o.DownloadModes) > 0 && !slices.Contains(o.DownloadModes, o.delivery()) {
		return fmt.Errorf("Options.DownloadModes: must include %q, the mode without a request", o.delivery())
	}
	if o.Limits != nil && !slices.Contains([]string{"", "app", "rack", "workhorse"}, o.Limits.Shape) {
		return fmt.Errorf("Options.Limits.Shape: no shape %q", o.Limits.Shape)
	}
	return feature.Check(o.Since)
}

// quirks are those of storage.
func (o *Options) quirks() storage.Quirks {
	return storage.Quirks{NoSuffixRange: o.NoSuffixRange, SuffixStatus: o.SuffixStatus, Deaf: o.Deaf}
}
