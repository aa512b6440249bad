package gitlabtest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/feature"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/storage"
)

// Mode says how files are served. https://docs.gitlab.com/administration/object_storage/
type Mode string

// The modes.
const (
	ModeDisk     Mode = "disk"     // X-Sendfile by Workhorse: ranges, ETag
	ModeProxy    Mode = "proxy"    // object storage, proxied by Workhorse
	ModeRedirect Mode = "redirect" // 302 to a pre-signed URL of object storage
	ModeNoRanges Mode = "noranges" // a proxy in between removes Range
	ModeNoLength Mode = "nolength" // and Content-Length as well
)

// Options describe the instance. The zero value is a licensed instance of the newest
// version that serves from disk.
type Options struct {
	Version string // "19.4" if empty
	// Since overrides the first version of features, such as {"job token: commits":
	// "18.5"} or {"file_type": "never"}. Package feature has their names and defaults.
	Since      map[string]string
	Unlicensed bool // no license for job tokens on the artifacts API
	Mode       Mode // ModeDisk if empty
	// DownloadModes are the allowed_download_modes of object storage, "direct" and
	// "proxy", which ?download_mode= may request. They must include Mode's default
	// (config/object_store_settings.rb).
	DownloadModes []string
	// RefusedMode is the status for a mode that isn't allowed (U). Zero means to ignore
	// the parameter.
	RefusedMode int
	// StorageDown makes object storage unreachable for clients, while GitLab can reach
	// and proxy it: "refused" (nothing listens), "no-name" (its name doesn't resolve),
	// "untrusted" (TLS with a certificate that clients don't trust), "silent" (it accepts
	// connections but doesn't answer), "black-hole" (it doesn't accept connections
	// either). It needs [Start] or [StartTLS].
	StorageDown       string
	NoSuffixRange     bool          // storage ignores suffix ranges, as Azure's does
	SuffixStatus      int           // storage refuses them with this status, as Azure's emulator does with 500; zero means not to
	IgnoreIfNoneMatch bool          // storage ignores If-None-Match, as fake-gcs-server does
	URLExpiry         time.Duration // of pre-signed URLs; zero means 10 minutes
	RelativeRoot      string        // such as "/gitlab"
	PerPage           int           // maximum rows of a page; zero means 100
	LinkHost          string        // host in Link headers; empty means the request's
	// ShiftRows is how many new jobs or pipelines, up to one page, have been added to the
	// front of every list after its first page was served: the following pages start that
	// much earlier and repeat rows.
	// https://docs.gitlab.com/api/rest/#offset-based-pagination
	ShiftRows int
	// MaxOffset limits offset pages of lists that also have keyset pages; zero means
	// 50000.
	// https://docs.gitlab.com/administration/instance_limits/#max-offset-allowed-by-the-rest-api-for-offset-based-pagination
	MaxOffset int
	NoKeyset  bool // lists don't have keyset pages
	// MaxArtifact is the size limit for uploads, in bytes; zero means 100 MiB.
	// https://docs.gitlab.com/administration/settings/continuous_integration/#maximum-artifacts-size
	MaxArtifact int64
	// ExtraFields are added to every object with an ID in JSON answers, as newer versions
	// add fields that clients don't know.
	ExtraFields map[string]any
	Limits      *Limits // nil means no limits
	Faults      []Fault
	Now         func() time.Time // nil means time.Now
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

// check refuses options that no instance could have: a test with them would test
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

// quirks returns the storage's quirks.
func (o *Options) quirks() storage.Quirks {
	return storage.Quirks{NoSuffixRange: o.NoSuffixRange, SuffixStatus: o.SuffixStatus, IgnoreIfNoneMatch: o.IgnoreIfNoneMatch}
}
