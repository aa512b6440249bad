package fetch_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"gitlab.com/artifetch/artifetch/fetch"
)

// twoAddresses serves an archive by ref and by ID, and records which address is
// requested.
type twoAddresses struct {
	*object

	mu    sync.Mutex
	asked []string // paths
}

func newTwoAddresses(t *testing.T, data []byte, before func(w http.ResponseWriter, r *http.Request, n int) bool) *twoAddresses {
	t.Helper()
	a := &twoAddresses{}
	a.object = serve(t, data, func(w http.ResponseWriter, r *http.Request, n int) bool {
		a.mu.Lock()
		a.asked = append(a.asked, strings.TrimPrefix(r.URL.Path, "/"))
		a.mu.Unlock()
		return before != nil && before(w, r, n)
	})
	return a
}

func (a *twoAddresses) paths() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Join(a.asked, " ")
}

// After UseAddress, new requests go to the other address. Earlier requests aren't
// repeated.
func TestUseAddress(t *testing.T) {
	t.Parallel()
	data := content(8 * mib)
	a := newTwoAddresses(t, data, nil)
	f := openLargeAt(t, a.object, a.URL+"/ref", fetch.Options{})
	readEnd(t, f)
	f.UseAddress(a.URL + "/id")
	if f.Redirected() {
		t.Error("a file with a new address counts as one of object storage")
	}
	for _, off := range []int64{5 * mib, 3 * mib, 4 * mib} {
		if _, err := readRange(t, f, off, mib); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := a.paths(), "ref ref id id id"; got != want {
		t.Errorf("requests: %s, want %s", got, want)
	}
}

// Another archive at the other address is a change: bytes of two never mix.
func TestUseAnotherArchivesAddress(t *testing.T) {
	t.Parallel()
	a := newTwoAddresses(t, content(8*mib), func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.URL.Path == "/id" {
			w.Header().Set("ETag", `"v2"`)
			w.WriteHeader(http.StatusOK)
			return true
		}
		return false
	})
	f := openLargeAt(t, a.object, a.URL+"/ref", fetch.Options{})
	readEnd(t, f)
	f.UseAddress(a.URL + "/id")
	if _, err := readRange(t, f, 5*mib, mib); !errors.Is(err, fetch.ErrChanged) {
		t.Errorf("error = %v, want ErrChanged", err)
	}
}

// Object storage keeps its address. When that has expired, GitLab is asked for the next
// one at the other address.
func TestUseAddressBehindARedirect(t *testing.T) {
	t.Parallel()
	var expired sync.Map // paths
	storage := newTwoAddresses(t, content(8*mib), func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if _, over := expired.Load(r.URL.Path); over {
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		return false
	})
	gitlab := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, storage.URL+"/for"+strings.ReplaceAll(r.URL.Path, "/", "-"), http.StatusFound)
	}))
	t.Cleanup(gitlab.Close)
	f := openLargeAt(t, storage.object, gitlab.URL+"/ref", fetch.Options{})
	readEnd(t, f)
	f.UseAddress(gitlab.URL + "/id")
	if !f.Redirected() {
		t.Error("a file with a new address doesn't count as one of object storage")
	}
	if _, err := readRange(t, f, 5*mib, mib); err != nil {
		t.Fatal(err)
	}
	expired.Store("/for-ref", true)
	if _, err := readRange(t, f, 3*mib, mib); err != nil {
		t.Fatal(err)
	}
	got := strings.Fields(storage.paths())
	if i := slices.Index(got, "for-id"); i < 0 || strings.Contains(strings.Join(got[:i], " "), "id") || strings.Count(storage.paths(), "for-id") != 1 {
		t.Errorf("requests to storage: %s", got)
	}
}

// If GitLab has listed an archive of the same size before the first answer, the rest is
// requested at the listed address.
func TestUseListed(t *testing.T) {
	t.Parallel()
	data := content(10 * mib)
	for _, tt := range []struct {
		name   string
		listed func(id string) fetch.Listing
		want   string // of the requests after the first
	}{
		{"the archive", func(id string) fetch.Listing { return fetch.Listing{Size: 10 * mib, URL: id} }, "id"},
		{"another one", func(id string) fetch.Listing { return fetch.Listing{Size: 10*mib + 1, URL: id} }, "ref"},
		{"perhaps another one", func(string) fetch.Listing { return fetch.Listing{Size: 10 * mib} }, "ref"},
	} {
		a := newTwoAddresses(t, data, nil)
		soon := make(chan fetch.Listing, 1)
		soon <- tt.listed(a.URL + "/id")
		f, err := fetch.Open(t.Context(), a.URL+"/ref", fetch.Options{Client: a.client(), Soon: soon})
		if err != nil {
			t.Fatal(err)
		}
		closeAtEnd(t, f)
		readAll(t, f, data)
		got := strings.Fields(a.paths())
		if others := slices.Compact(slices.Clone(got[1:])); got[0] != "ref" || !slices.Equal(others, []string{tt.want}) {
			t.Errorf("%s: requests: %s, want ref and then %s", tt.name, got, tt.want)
		}
	}
}
