package fetch_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/transport"
)

// Limits for a run's fake time and for its requests: each of a dozen readers, in each of
// a few attempts, after each real progress, through some redirects.
const (
	fuzzDeadline = 30 * time.Minute
	fuzzSlack    = time.Minute // to stop
	fuzzRequests = 2000
)

var errFuzzDeadline = errors.New("the deadline of this run")

// fuzzOptions says how to open and read the archive.
type fuzzOptions struct{ size, how, use uint8 }

func (o fuzzOptions) has(bit uint8) bool { return o.how&bit != 0 }

// FuzzAnswers reads an archive from servers that answer anything: any status, any of the
// relevant headers, any body, any interruption, in any order. It ends in time and within
// a number of requests, with the right bytes or a typed error. If a lie can't be detected
// otherwise, the digest reveals it.
func FuzzAnswers(f *testing.F) {
	whole := content(mib + 300_000)
	sizes := []int{1000, 0, 1, 70_000, 200_000, mib, mib + 3000, mib + 300_000}
	digests := make([]string, len(sizes))
	for i, size := range sizes {
		digests[i] = sum(whole[:size])
	}
	dir := f.TempDir()
	for status := range len(statusCodes) + 4 {
		at := uint8(status)
		if status >= len(statusCodes) {
			at = uint8(256 - 4 + status - len(statusCodes))
		}
		one := []byte{at, 0, 0, 0, 0, 0}
		f.Add(uint8(7), uint8(status), uint8(status), one)
		f.Add(uint8(6), uint8(2+status%4*8), uint8(1), append(make([]byte, lenInstruction), one...))
		f.Add(uint8(3), uint8(4), uint8(2), append(one, 0, uint8(status), 0, 0, 0, 0))
		f.Add(uint8(7), uint8(1), uint8(3), append(one, 0, 0, uint8(status), 0, uint8(status), uint8(status)))
	}
	f.Fuzz(func(t *testing.T, size, how, use uint8, data []byte) {
		o := fuzzOptions{size, how, use}
		n := sizes[int(o.size)%len(sizes)]
		other := whole[max(0, len(whole)-n-10):]
		server := &liar{
			versions: [2][]byte{whole[:n], other}, script: script(data), redirect: o.has(1), listed: o.has(2),
			changeAt: int(o.use/8) % 6, digest: digests[int(o.size)%len(sizes)], lanes: map[string]int{},
		}
		synctest.Test(t, func(t *testing.T) { server.use(t, o, dir) })
	})
}

// use opens the archive, reads it, and checks the result.
func (l *liar) use(t *testing.T, o fuzzOptions, dir string) {
	ctx, cancel := context.WithTimeoutCause(t.Context(), fuzzDeadline, errFuzzDeadline)
	defer cancel()
	start := time.Now()
	for range 2 { // the second time, with what the first has learned, and from the cache
		opts := l.options(t, o, dir)
		got, err := l.read(ctx, o, opts)
		if err == nil && !bytes.Equal(got, l.versions[0]) && !bytes.Equal(got, l.versions[1]) && (!l.lied || opts.SHA256 != "") {
			t.Errorf("%d bytes of an archive of %d are not the right ones", len(got), len(l.versions[0]))
		}
		if err != nil && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || !isTyped(err)) {
			t.Errorf("%T: %v", err, err)
		}
		if l.requests > fuzzRequests {
			t.Errorf("%d requests", l.requests)
		}
		if took := time.Since(start); took > fuzzDeadline+fuzzSlack {
			t.Errorf("took %v", took)
		}
	}
	if err := os.RemoveAll(filepath.Join(dir, "cache")); err != nil {
		t.Error(err)
	}
}

func (l *liar) options(t *testing.T, o fuzzOptions, dir string) fetch.Options {
	api, err := url.Parse("https://gitlab/api/v4")
	if err != nil {
		t.Fatal(err)
	}
	opts := fetch.Options{
		Client: transport.New(transport.Options{
			API: api, Header: "JOB-TOKEN", Token: "secret", Base: l, StallTimeout: 10 * time.Second,
			Retry: transport.Policy{Retries: 2, MaxTime: time.Minute},
		}).Stream,
		Check:    gitlab.CheckResponse,
		Backoff:  func() fetch.Backoff { return transport.Policy{Retries: 2, MaxTime: time.Minute}.Backoff() },
		SpoolDir: dir, Partial: o.has(4), Digest: o.has(32), RangesOnly: o.has(64),
	}
	if o.has(2) {
		opts.Size = int64(max(len(l.versions[0]), 1))
	}
	if o.has(8) {
		opts.CacheDir = filepath.Join(dir, "cache")
	}
	if o.has(16) {
		opts.SHA256 = l.digest
	}
	return opts
}

// read opens the file and reads it completely, in one of several ways.
func (l *liar) read(ctx context.Context, o fuzzOptions, opts fetch.Options) (got []byte, err error) {
	f, err := fetch.Open(ctx, "https://gitlab/api/v4/archive", opts)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if f.Size() > 4*mib {
		return nil, fetch.ErrChanged // any reader has limits
	}
	switch o.use % 4 {
	case 0:
		var b bytes.Buffer
		err = copyAll(ctx, &b, f)
		return b.Bytes(), err
	case 1:
		got = make([]byte, f.Size())
		if n, err := f.ReadAt(got, 0); err != io.EOF || n < len(got) { //nolint:errorlint // the contract of ReadAt is io.EOF itself
			return got, err
		}
		return got, nil
	}
	got = make([]byte, f.Size())
	var group sync.WaitGroup
	errs := make([]error, 3)
	for i := range errs {
		from, to := f.Size()*int64(i)/3, f.Size()*int64(i+1)/3
		group.Go(func() {
			if o.use%4 == 2 {
				_, errs[i] = io.ReadFull(io.NewSectionReader(f, from, to-from), got[from:to])
				return
			}
			body, err := f.Range(ctx, from, to-from)
			if err == nil {
				_, err = io.ReadFull(body, got[from:to])
				err = errors.Join(err, body.Close())
			}
			errs[i] = err
		})
	}
	group.Wait()
	return got, errors.Join(errs...)
}

// isTyped reports whether an error has a type, and so an exit code.
func isTyped(err error) bool {
	_, answer := errors.AsType[*fetch.AnswerError](err)
	_, broken := errors.AsType[*fetch.BrokenError](err)
	_, digest := errors.AsType[*fetch.DigestError](err)
	_, refusal := errors.AsType[*gitlab.Error](err)
	_, request := errors.AsType[*url.Error](err)
	_, disk := errors.AsType[interface {
		error
		Hint() string
		Unwrap() error
	}](err)
	return answer || broken || digest || refusal || request || disk || errors.Is(err, errFuzzDeadline) ||
		errors.Is(err, fetch.ErrChanged) || errors.Is(err, fetch.ErrNoRanges)
}

var _ http.RoundTripper = (*liar)(nil)
