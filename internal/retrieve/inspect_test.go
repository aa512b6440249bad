package retrieve_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/resolve"
)

// Describing archives takes as few requests as possible: none if a list has the data,
// otherwise one for the first bytes.
func TestInspectorCost(t *testing.T) {
	t.Parallel()
	byID, dead := resolve.Query{Project: "1", JobID: 1001}, resolve.Query{Project: "1", JobID: 1011}
	type look = func(retrieve.Inspector, context.Context, resolve.Query) ([]resolve.Artifact, error)
	describe, reach := retrieve.Inspector.Describe, retrieve.Inspector.Reach
	for _, tt := range []struct {
		name          string
		token         string
		mode          gitlabtest.Mode
		look          look
		query         resolve.Query
		api, archives int
		known         bool // the size
		fails         bool
	}{
		{"listed", gitlabtest.PrivateToken, gitlabtest.ModeDisk, describe, byName("build"), 2, 0, true, false},
		{"several are listed", gitlabtest.PrivateToken, gitlabtest.ModeDisk, describe, byName("test 1/3", "build"), 2, 0, true, false},
		{"by ID", gitlabtest.PrivateToken, gitlabtest.ModeDisk, describe, byID, 1, 0, true, false},
		{"by ID with a job token", gitlabtest.JobToken, gitlabtest.ModeDisk, describe, byID, 1, 1, true, false},
		{"without ranges", gitlabtest.JobToken, gitlabtest.ModeNoLength, describe, byID, 1, 2, false, false}, // one for the end, one for the beginning
		{"reached", gitlabtest.PrivateToken, gitlabtest.ModeDisk, reach, byName("build"), 2, 1, true, false},
		{"reached by ID", gitlabtest.PrivateToken, gitlabtest.ModeDisk, reach, byID, 0, 1, true, false},
		{"erased", gitlabtest.PrivateToken, gitlabtest.ModeDisk, reach, dead, 1, 1, false, true},
	} {
		i := start(t, gitlabtest.Fixture(), gitlabtest.Options{Mode: tt.mode}, tt.token)
		found, err := tt.look(retrieve.Inspector{Opener: i.Opener}, t.Context(), tt.query)
		if (err != nil) != tt.fails || tt.fails && !retrieve.Missing(err) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if api, archives := i.asked(); api != tt.api || archives != tt.archives {
			t.Errorf("%s: %d requests and %d for archives, want %d and %d", tt.name, api, archives, tt.api, tt.archives)
		}
		for _, a := range found {
			if (a.Size > 0) != tt.known {
				t.Errorf("%s: %+v", tt.name, a)
			}
		}
	}
}

// A query for several jobs isn't for a single archive.
func TestInspectorOne(t *testing.T) {
	t.Parallel()
	i := start(t, gitlabtest.Fixture(), gitlabtest.Options{}, gitlabtest.PrivateToken)
	inspector := retrieve.Inspector{Opener: i.Opener}
	if a, err := inspector.One(t.Context(), byName("build")); err != nil || a.JobID != 1001 {
		t.Errorf("%+v, %v", a, err)
	}
	var b bytes.Buffer
	_, listErr := inspector.List(t.Context(), byName("test *"), extract.Selection{}, retrieve.FromArchive)
	for _, err := range []error{listErr, inspector.Cat(t.Context(), byName("test *"), retrieve.NamedFile{Name: "job.txt"}, &b)} {
		if e, ok := errors.AsType[*retrieve.SeveralJobsError](err); !ok || e.Jobs != 3 || e.Digest {
			t.Error(err)
		}
	}
	if _, archives := i.asked(); archives != 0 || b.Len() > 0 {
		t.Errorf("%d archives, %d bytes", archives, b.Len())
	}
}

// A list is read from the archive, or from GitLab: on request, and if the whole archive
// would have to be downloaded otherwise. Then a large archive isn't downloaded.
func TestInspectorList(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, version string
		mode          gitlabtest.Mode
		from          retrieve.Source
		crc, whole    bool // what an archive alone knows; all of it came
		fails         bool
	}{
		{"ranges", "19.2", gitlabtest.ModeDisk, retrieve.FromArchive, true, false, false},
		{"GitLab's", "19.2", gitlabtest.ModeDisk, retrieve.FromGitLab, false, false, false},
		{"no ranges", "19.2", gitlabtest.ModeNoRanges, retrieve.FromArchive, false, false, false},
		{"no ranges, no list", "18.7", gitlabtest.ModeNoRanges, retrieve.FromArchive, true, true, false},
		{"no list", "18.7", gitlabtest.ModeDisk, retrieve.FromGitLab, false, false, true},
	} {
		i := start(t, withJobs(job(3, "large", largeArchive())), gitlabtest.Options{Version: tt.version, Mode: tt.mode}, gitlabtest.PrivateToken)
		told := 0
		i.Events.Listed = func(fetch.Stats) { told++ }
		listed, err := retrieve.Inspector{Opener: i.Opener}.List(t.Context(), resolve.Query{Project: "1", JobID: 3}, extract.Selection{Include: []string{"dist/a"}}, tt.from)
		if tt.fails {
			if _, ok := errors.AsType[*retrieve.UnlistedError](err); !ok {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		if err != nil || len(listed) != 1 || listed[0].Name != "dist/a" || listed[0].Size != 5 || (listed[0].CRC32 != 0) != tt.crc || (told == 1) != tt.crc {
			t.Errorf("%s: %+v, %v, told %d", tt.name, listed, err, told)
		}
		if whole := i.largest() > 20<<20; whole != tt.whole {
			t.Errorf("%s: the whole archive came: %v", tt.name, whole)
		}
	}
}

// largest is the size of the largest response in bytes.
func (i instance) largest() (bytes int64) {
	for _, r := range i.Requests() {
		bytes = max(bytes, r.BytesSent)
	}
	return bytes
}

// GitLab lists archives of jobs whose ID is known.
func TestInspectorListUnknownID(t *testing.T) {
	t.Parallel()
	i := start(t, gitlabtest.Fixture(), gitlabtest.Options{Version: "18.0"}, gitlabtest.JobToken)
	_, err := retrieve.Inspector{Opener: i.Opener}.List(t.Context(), byName("build"), extract.Selection{}, retrieve.FromGitLab)
	if e, ok := errors.AsType[*retrieve.UnknownIDError](err); !ok || e.Artifact.JobName != "build" {
		t.Error(err)
	}
}

// A file read from the archive is the same as one unpacked by GitLab. A missing file is
// reported as matching nothing.
func TestInspectorCat(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		file, version string
		mode          gitlabtest.Mode
		from          retrieve.Source
		want          string
		whole         bool
	}{
		{"a", "19.2", gitlabtest.ModeDisk, retrieve.FromArchive, "content of a\n", false},
		{"l", "19.2", gitlabtest.ModeDisk, retrieve.FromArchive, "content of a\n", false},
		{"a", "19.2", gitlabtest.ModeDisk, retrieve.FromGitLab, "content of a\n", false},
		{"a", "19.2", gitlabtest.ModeNoRanges, retrieve.FromArchive, "content of a\n", false},
		{"l", "19.2", gitlabtest.ModeNoRanges, retrieve.FromArchive, "content of a\n", true},
		{"a", "18.7", gitlabtest.ModeNoRanges, retrieve.FromArchive, "content of a\n", true},
		{"none", "19.2", gitlabtest.ModeDisk, retrieve.FromArchive, "", false},
		{"none", "19.2", gitlabtest.ModeDisk, retrieve.FromGitLab, "", false},
		{"none", "19.2", gitlabtest.ModeNoRanges, retrieve.FromArchive, "", true},
	} {
		name := fmt.Sprintf("%s of %s by %s, from %d", tt.file, tt.version, tt.mode, tt.from)
		i := start(t, withJobs(job(3, "large", largeArchive())), gitlabtest.Options{Version: tt.version, Mode: tt.mode}, gitlabtest.PrivateToken)
		var b bytes.Buffer
		err := retrieve.Inspector{Opener: i.Opener}.Cat(t.Context(), resolve.Query{Project: "1", JobID: 3}, retrieve.NamedFile{Name: tt.file, From: tt.from}, &b)
		_, noMatch := errors.AsType[*extract.NoMatchError](err)
		if b.String() != tt.want || noMatch != (tt.want == "") || err != nil && !noMatch {
			t.Errorf("%s: %q, %v", name, b.String(), err)
		}
		if whole := i.largest() > 20<<20; whole != tt.whole {
			t.Errorf("%s: the whole archive came: %v", name, whole)
		}
	}
}

// If a job token knows a job only by its ref, a file of it is requested by ref and, if
// that is refused, by the ID that the fallback finds.
func TestInspectorCatByRef(t *testing.T) {
	t.Parallel()
	for _, unlicensed := range []bool{false, true} {
		i := start(t, gitlabtest.Fixture(), gitlabtest.Options{Version: "18.5", Unlicensed: unlicensed}, gitlabtest.JobToken)
		var b bytes.Buffer
		err := retrieve.Inspector{Opener: i.Opener}.Cat(t.Context(), byName("build"), retrieve.NamedFile{Name: "job.txt", From: retrieve.FromGitLab}, &b)
		if !unlicensed && (err != nil || b.String() != "build 1001\n") {
			t.Errorf("%q, %v", b.String(), err)
		}
		if unlicensed && (err == nil || b.Len() > 0) { // the endpoint for runners doesn't serve single files
			t.Errorf("without a licence: %q, %v", b.String(), err)
		}
		var asked []string
		for _, r := range i.Requests() {
			asked = append(asked, r.Path)
		}
		if !strings.Contains(strings.Join(asked, " "), "/artifacts/main/raw/job.txt") {
			t.Errorf("asked %v", asked)
		}
	}
}
