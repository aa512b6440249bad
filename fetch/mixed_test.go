package fetch_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"gitlab.com/artifetch/artifetch/fetch"
)

// replaced serves an archive that is replaced by another one of the same size after so
// many requests. It breaks off each of the first answers half way.
func replaced(t *testing.T, size, after, broken int, etag string) (o *object, data, other []byte) {
	t.Helper()
	data, other = content(size), content(size + 1)[1:]
	o = serve(t, data, nil)
	o.etag = etag
	o.before = func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n > after {
			o.change(func(o *object) { o.data = other })
		}
		w.Header().Set("Last-Modified", "Sun, 01 Nov 2026 10:00:00 GMT")
		if n > broken {
			return false
		}
		if r.Header.Get("Range") == "" {
			whole(w, o.data, size, size/2)
		} else {
			o.cut(w, r, size/2, true)
		}
		return true
	}
	return o, data, other
}

// Without a strong ETag, nothing shows that two answers are about the same archive. If
// nothing checks the whole file's bytes, all of them come from one answer.
func TestNothingMixes(t *testing.T) {
	t.Parallel()
	for _, etag := range []string{"", `W/"x"`} {
		for _, tt := range []struct {
			size, after, broken int
			requests            int // at most
		}{{300_000, 1, 1, 2}, {300_000, 2, 2, 3}, {3 * mib, 1, 0, 2}, {3 * mib, 2, 1, 3}, {17 * mib, 1, 0, 2}} {
			for name, opts := range map[string]fetch.Options{"whole": {Whole: true}, "digest": {Digest: true}, "into": {}, "cache": {CacheDir: t.TempDir()}} {
				for _, redirected := range []bool{false, true} {
					o, data, other := replaced(t, tt.size, tt.after, tt.broken, etag)
					opts.Client = o.client()
					got := wholeOf(t, o, opts, name == "into" || name == "cache", redirected)
					if !bytes.Equal(got, data) && !bytes.Equal(got, other) {
						t.Errorf("ETag %q, %+v, %s, redirected %v: a mixture of two archives", etag, tt, name, redirected)
					}
					if n := len(o.asked()); n > tt.requests {
						t.Errorf("ETag %q, %+v, %s, redirected %v: %d requests", etag, tt, name, redirected, n)
					}
				}
			}
		}
	}
}

// wholeOf returns the file's bytes, read at once or from the file that they were written
// into.
func wholeOf(t *testing.T, o *object, opts fetch.Options, toFile, redirected bool) []byte {
	t.Helper()
	url := o.URL
	if redirected {
		gitlab := httptest.NewServer(http.RedirectHandler(o.URL, http.StatusFound))
		t.Cleanup(gitlab.Close)
		url = gitlab.URL
	}
	got := make([]byte, len(o.data))
	if toFile {
		to, stats, err := into(t, url, opts)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := to.ReadAt(got, 0); err != nil || stats.Spooled {
			t.Errorf("%+v, %v", stats, err)
		}
		return got
	}
	opts.SpoolDir = t.TempDir()
	f, err := fetch.Open(t.Context(), url, opts)
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, f)
	got, err = readRange(t, f, 0, f.Size())
	if err != nil || f.Stats().Spooled {
		t.Errorf("%+v, %v", f.Stats(), err)
	}
	return got
}

// With a strong ETag, a whole file comes in parts and is resumed. Each part must have the
// ETag, even if the server ignores If-Range.
func TestPartsHaveTheETag(t *testing.T) {
	t.Parallel()
	data := content(17 * mib)
	o := serve(t, data, nil)
	o.before = func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n == 1 {
			o.cut(w, r, 2*mib, false)
		}
		return n == 1
	}
	to, stats, err := into(t, o.URL, fetch.Options{Client: o.client()})
	if err != nil {
		t.Fatal(err)
	}
	holds(t, to, data)
	if n := len(o.asked()); n < 3 || stats.Resumes == 0 || o.readTwice() != 0 {
		t.Errorf("%d requests, %+v", n, stats)
	}
	for _, later := range []string{"", `W/"v1"`} {
		o := serve(t, data, nil)
		o.before = func(_ http.ResponseWriter, r *http.Request, n int) bool {
			r.Header.Del("If-Range")
			if n > 1 {
				o.change(func(o *object) { o.etag = later })
			}
			return false
		}
		if _, _, err := into(t, o.URL, fetch.Options{Client: o.client()}); !errors.Is(err, fetch.ErrChanged) {
			t.Errorf("later ETag %q: %v, want that it has changed", later, err)
		}
	}
}

// The attempts of a file that comes as one answer are limited.
func TestWholeIsNotAskedForever(t *testing.T) {
	t.Parallel()
	o, _, _ := replaced(t, 300_000, 100, 100, "")
	_, _, err := into(t, o.URL, fetch.Options{Client: o.client()})
	if _, broken := errors.AsType[*fetch.BrokenError](err); !broken || len(o.asked()) != 3 {
		t.Errorf("%d requests, %v", len(o.asked()), err)
	}
}

// All bytes of a file certainly belong together if one answer has brought them, or if
// each answer has the same strong ETag. From then on, each must have it.
func TestCertain(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		size    int
		etag    string
		drops   bool // the ETag is only in the first answer
		noRange bool
		cut     bool // the first answer
		partial bool
		read    int64 // bytes from there to the end before it is asked
		certain bool
		after   bool // the rest can be read
	}{
		"one answer":                   {size: 5000, certain: true, after: true},
		"one answer of a large file":   {size: mib, certain: true, after: true},
		"one answer, which breaks":     {size: 300_000, cut: true, after: true},
		"the end":                      {size: 5000, partial: true, certain: true, after: true},
		"the end of a large file":      {size: 3 * mib, partial: true, after: true},
		"several answers":              {size: 3 * mib, after: true},
		"no ranges":                    {size: 3 * mib, noRange: true, certain: true, after: true},
		"a strong ETag":                {size: 3 * mib, etag: `"v1"`, certain: true, after: true},
		"a strong ETag, then none":     {size: 3 * mib, etag: `"v1"`, drops: true, certain: true, partial: true},
		"a strong ETag, none before":   {size: 3 * mib, etag: `"v1"`, drops: true, partial: true, read: 2 * mib},
		"a weak ETag, several answers": {size: 3 * mib, etag: `W/"v1"`, after: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := content(tt.size)
			o := serve(t, data, nil)
			o.etag = tt.etag
			o.before = func(w http.ResponseWriter, r *http.Request, n int) bool {
				if tt.drops {
					r.Header.Del("If-Range")
					o.change(func(o *object) { o.etag = "" }) // from the next answer on
				}
				switch {
				case tt.noRange:
					whole(w, data, len(data), -1)
				case tt.cut && n == 1:
					o.cut(w, r, 100_000, false)
				default:
					return false
				}
				return true
			}
			f := open(t, o, fetch.Options{Partial: tt.partial})
			if _, err := readRange(t, f, f.Size()-tt.read, tt.read); err != nil {
				t.Fatal(err)
			}
			if got := f.Certain(); got != tt.certain {
				t.Errorf("Certain = %v", got)
			}
			got, err := readRange(t, f, 0, f.Size())
			if tt.after && !bytes.Equal(got, data) || !tt.after && !errors.Is(err, fetch.ErrChanged) {
				t.Errorf("afterwards: %d bytes, %v", len(got), err)
			}
		})
	}
}
