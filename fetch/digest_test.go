package fetch_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/fetch"
)

func sum(data []byte) string { return fmt.Sprintf("%x", sha256.Sum256(data)) }

// An archive that was downloaded completely is compared with the server's digest; a
// partial download doesn't fetch the rest for that.
func TestServersDigest(t *testing.T) {
	t.Parallel()
	wrong := strings.Repeat("ab", 32)
	noRanges := func(w http.ResponseWriter, r *http.Request, _ int) bool {
		r.Header.Del("Range")
		return false
	}
	tests := []struct {
		name   string
		size   int
		before func(http.ResponseWriter, *http.Request, int) bool
		caught bool
	}{
		{"small", 1000, nil, true},
		{"large, without ranges", 3 << 20, noRanges, true},
		{"large, by ranges", 3 << 20, nil, false},
	}
	for _, tt := range tests {
		data := content(tt.size)
		o := serve(t, data, tt.before)
		for etag, caught := range map[string]bool{wrong: tt.caught, sum(data): false} {
			o.change(func(o *object) { o.etag = `"` + etag + `"` }) // a request that was given up may still arrive
			f, err := fetch.Open(t.Context(), o.URL, fetch.Options{Client: o.Client(), SpoolDir: t.TempDir()})
			if got := isDigestError(err); got != caught || err != nil && !got {
				t.Errorf("%s, ETag %.4s…: %v", tt.name, etag, err)
			}
			if err == nil {
				if err := f.Close(); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

func isDigestError(err error) bool {
	_, ok := errors.AsType[*fetch.DigestError](err)
	return ok
}

// A required digest makes Open download the whole archive and check it.
func TestDigestAskedFor(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1000, 40 << 20} {
		data := content(size)
		o := serve(t, data, nil)
		spool, cache := t.TempDir(), t.TempDir()
		for _, dir := range []string{"", cache, cache} { // the second time from the cache
			opts := fetch.Options{Client: o.Client(), SpoolDir: spool, CacheDir: dir, Partial: true, SHA256: sum(data)}
			f, err := fetch.Open(t.Context(), o.URL, opts)
			if err != nil {
				t.Fatalf("%d bytes, cache %q: %v", size, dir, err)
			}
			if f.SHA256() != sum(data) {
				t.Errorf("SHA256 = %s", f.SHA256())
			}
			readAll(t, f, data)
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			opts.SHA256 = strings.Repeat("ab", 32)
			if _, err := fetch.Open(t.Context(), o.URL, opts); !isDigestError(err) || !strings.Contains(err.Error(), "you expect") {
				t.Errorf("another digest: %v", err)
			}
		}
		if left, err := os.ReadDir(spool); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}
}

// copyAll copies the whole file.
func copyAll(ctx context.Context, w io.Writer, f *fetch.File) error {
	body, err := f.Range(ctx, 0, f.Size())
	if err != nil {
		return err
	}
	_, err = io.Copy(w, body)
	return errors.Join(err, body.Close())
}

func readAll(t *testing.T, f *fetch.File, want []byte) {
	t.Helper()
	var b strings.Builder
	if err := copyAll(t.Context(), &b, f); err != nil || b.String() != string(want) {
		t.Errorf("%d bytes of %d, %v", b.Len(), len(want), err)
	}
}

// A wanted digest comes from the server, if it sends one, and otherwise from the whole
// archive.
func TestDigestWanted(t *testing.T) {
	t.Parallel()
	data := content(3 << 20)
	for _, told := range []bool{true, false} {
		o := serve(t, data, nil)
		if told {
			o.etag = `"` + sum(data) + `"`
		}
		f, err := fetch.Open(t.Context(), o.URL, fetch.Options{Client: o.Client(), SpoolDir: t.TempDir(), Partial: true, Digest: true})
		if err != nil || f.SHA256() != sum(data) {
			t.Fatalf("told %v: %v", told, err)
		}
		if all := f.Stats().Bytes >= int64(len(data)); all == told {
			t.Errorf("told %v: %d bytes came", told, f.Stats().Bytes)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}
