package fetch_test

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"gitlab.com/artifetch/artifetch/fetch"
)

// statusError is the caller's error for an answer that isn't a success.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("status %d", int(e)) }

func checkStatus(resp *http.Response) error {
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return nil
	}
	return statusError(resp.StatusCode)
}

// statuses returns the meaningful statuses, their neighbours, and the last of each class,
// except those that net/http follows by itself.
func statuses() []int {
	all := []int{299, 300, 304, 305, 306, 399, 451, 499, 599}
	for _, span := range [][2]int{{200, 230}, {400, 432}, {500, 512}} {
		for status := span[0]; status < span[1]; status++ {
			all = append(all, status)
		}
	}
	return all
}

// refuses checks an error: the caller's if the status says that something is wrong,
// otherwise the one for an unexpected answer.
func refuses(t *testing.T, status int, err error) {
	t.Helper()
	_, unasked := errors.AsType[*fetch.AnswerError](err)
	said, ok := errors.AsType[statusError](err)
	if status < 300 && !unasked || status >= 300 && (!ok || int(said) != status) {
		t.Errorf("%d: error = %v", status, err)
	}
}

// For any request, an answer with an unexpected status is a typed error, and never a
// file.
func TestUnaskedAnswers(t *testing.T) {
	t.Parallel()
	data := content(2 * mib)
	noRange := func(r *http.Request) bool { return r.Header.Get("Range") == "" }
	tests := []struct {
		name string
		opts fetch.Options
		good []int                                                                               // statuses that are fine, or lead to another request
		when func(o *object, w http.ResponseWriter, r *http.Request, n int) (answered, now bool) // now: answer with the status now
	}{
		{
			name: "the first range", good: []int{200, 206, 416},
			when: func(_ *object, _ http.ResponseWriter, _ *http.Request, n int) (answered, now bool) {
				return false, n == 1
			},
		},
		{
			name: "the last bytes", good: []int{200, 206, 400, 416, 500, 501}, opts: fetch.Options{Partial: true},
			when: func(_ *object, _ http.ResponseWriter, _ *http.Request, n int) (answered, now bool) {
				return false, n == 1
			},
		},
		{
			name: "everything, after nonsense for a range", good: []int{200},
			when: func(_ *object, w http.ResponseWriter, r *http.Request, _ int) (answered, now bool) {
				if !noRange(r) {
					w.WriteHeader(http.StatusPartialContent)
				}
				return !noRange(r), noRange(r)
			},
		},
		{
			name: "everything, after it broke off", good: []int{200},
			when: func(_ *object, w http.ResponseWriter, _ *http.Request, n int) (answered, now bool) {
				if n == 1 {
					w.Header().Set("Content-Length", fmt.Sprint(len(data)))
					_, _ = w.Write(data[:1000])
					hangUp(w, false)
				}
				return n == 1, n == 2
			},
		},
		{
			name: "a range, after the first broke off", good: []int{200, 206, 416},
			when: func(o *object, w http.ResponseWriter, r *http.Request, n int) (answered, now bool) {
				if n == 1 {
					o.cut(w, r, 100_000, false)
				}
				return n == 1, strings.HasPrefix(r.Header.Get("Range"), "bytes=100000-")
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, status := range statuses() {
				if slices.Contains(tt.good, status) {
					continue
				}
				var o *object
				asked := 0
				o = serve(t, data, func(w http.ResponseWriter, r *http.Request, n int) bool {
					answered, now := tt.when(o, w, r, n)
					if now {
						asked++
						w.WriteHeader(status)
						_, _ = w.Write([]byte("x")) // 204 and 304 have no body
					}
					return answered || now
				})
				tt.opts.Check = checkStatus
				f, err := tryOpen(t, o, tt.opts)
				if err == nil {
					_, err = readRange(t, f, 0, f.Size())
				}
				refuses(t, status, err)
				if asked != 1 {
					t.Errorf("%d: asked %d times", status, asked)
				}
			}
		})
	}
}

// A part is never taken for the whole file, whatever its Content-Range says.
func TestPartInsteadOfTheWhole(t *testing.T) {
	t.Parallel()
	data := content(5000)
	for _, header := range []string{"", "bytes 0-4999/5000", "bytes 0-99/5000", "bytes 7-9/10", "nonsense"} {
		for _, brokenFirst := range []bool{false, true} {
			o := serve(t, data, func(w http.ResponseWriter, r *http.Request, n int) bool {
				switch {
				case brokenFirst && n == 1:
					w.Header().Set("Content-Length", "5000")
					_, _ = w.Write(data[:10])
					hangUp(w, false)
				case r.Header.Get("Range") != "":
					w.Header().Set("Content-Range", "bytes 1-2/3")
					w.WriteHeader(http.StatusPartialContent)
				default:
					w.Header().Set("Content-Range", header)
					w.WriteHeader(http.StatusPartialContent)
					_, _ = w.Write(data)
				}
				return true
			})
			_, err := tryOpen(t, o, fetch.Options{Check: checkStatus})
			if _, ok := errors.AsType[*fetch.AnswerError](err); !ok {
				t.Errorf("Content-Range %q, broken first %v: %v", header, brokenFirst, err)
			}
		}
	}
}

// There are two valid answers to the question whether the archive has changed.
func TestUnaskedAnswersToTheCache(t *testing.T) {
	t.Parallel()
	data := content(1000)
	dir := t.TempDir()
	for _, status := range statuses() {
		if status == 200 || status == 304 {
			continue
		}
		o := serve(t, data, nil)
		readCached(t, o, o.URL, dir, data)
		o.change(func(o *object) {
			o.before = func(w http.ResponseWriter, r *http.Request, _ int) bool {
				if r.Header.Get("If-None-Match") != "" {
					w.WriteHeader(status)
				}
				return r.Header.Get("If-None-Match") != ""
			}
		})
		_, err := fetch.Open(t.Context(), o.URL, fetch.Options{Client: o.Client(), CacheDir: dir, Check: checkStatus})
		refuses(t, status, err)
	}
}

// Only answer.go looks at a status, so none is forgotten.
func TestOneGate(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	looked := false
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "StatusCode" {
				looked = true
				if file != "answer.go" {
					t.Errorf("%s looks at a status", file)
				}
			}
			return true
		})
	}
	if !looked {
		t.Error("nobody looks at a status")
	}
}

// If a store refuses suffix ranges in any way, the beginning is requested immediately,
// and the run's other files don't request suffixes.
func TestSuffixRefused(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 206, 400, 416, 500, 501} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			data := content(40 * mib)
			o := serve(t, data, func(w http.ResponseWriter, r *http.Request, n int) bool {
				if !strings.HasPrefix(r.Header.Get("Range"), "bytes=-") {
					return false
				}
				if status == 200 {
					return noSuffix(w, r, n)
				}
				w.WriteHeader(status)
				return true
			})
			gitlab := httptest.NewServer(http.RedirectHandler(o.URL, http.StatusFound))
			defer gitlab.Close()
			var servers fetch.Servers
			for i, want := range []string{"bytes=-131072 bytes=0-1048575 bytes=41811968-41943039", "bytes=0-1048575 bytes=41811968-41943039"} {
				before := len(o.asked())
				f, err := fetch.Open(t.Context(), gitlab.URL, fetch.Options{Client: gitlab.Client(), Check: checkStatus, Partial: true, Servers: &servers})
				if err != nil {
					t.Fatal(err)
				}
				end := make([]byte, 100_000)
				if _, err := f.ReadAt(end, f.Size()-100_000); err != nil || !bytes.Equal(end, data[len(data)-100_000:]) {
					t.Error(err)
				}
				if err := f.Close(); err != nil {
					t.Error(err)
				}
				if got := lines(o.asked()[before:]); got != want {
					t.Errorf("run %d: requests\n got %s\nwant %s", i, got, want)
				}
			}
			gitlab.Client().CloseIdleConnections()
		})
	}
}

// An error that also concerns the whole archive isn't remembered as one about suffix
// ranges.
func TestSuffixRefusedByAnError(t *testing.T) {
	t.Parallel()
	var healthy atomic.Bool
	o := serve(t, content(2*mib), func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		if !healthy.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
		return !healthy.Load()
	})
	var servers fetch.Servers
	_, err := tryOpen(t, o, fetch.Options{Check: checkStatus, Partial: true, Servers: &servers})
	refuses(t, http.StatusInternalServerError, err)
	healthy.Store(true)
	open(t, o, fetch.Options{Partial: true, Servers: &servers})
	if got := lines(o.asked()); got != "bytes=-131072 bytes=0-1048575 bytes=-131072" {
		t.Errorf("requests: %s", got)
	}
}

// If an address has expired before the first request, the request is sent once more,
// whatever its kind.
func TestExpiredAtOnce(t *testing.T) {
	t.Parallel()
	data := content(3 * mib)
	for _, twice := range []bool{false, true} {
		for _, status := range []int{400, 401, 403, 404, 410} {
			for _, how := range []string{"whole", "part", "without ranges", "cached"} {
				times := int32(1)
				if twice {
					times++
				}
				if status == 400 && how == "part" {
					times++ // the first one may be about the suffix
				}
				expired := new(atomic.Int32)
				expired.Store(times)
				o := serve(t, data, func(w http.ResponseWriter, r *http.Request, _ int) bool {
					if expired.Add(-1) >= 0 {
						w.WriteHeader(status)
						return true
					}
					if how == "without ranges" {
						r.Header.Del("Range")
					}
					return false
				})
				resolved := new(atomic.Int32)
				gitlab := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					resolved.Add(1)
					http.Redirect(w, r, o.URL+"/object", http.StatusFound)
				}))
				opts := fetch.Options{Client: gitlab.Client(), Check: checkStatus, SpoolDir: t.TempDir(), Partial: how == "part"}
				if how == "cached" {
					opts.CacheDir = t.TempDir()
					expired.Store(0)
					readCached(t, o, gitlab.URL, opts.CacheDir, data)
					expired.Store(times)
				}
				resolved.Store(0)
				f, err := fetch.Open(t.Context(), gitlab.URL, opts)
				name := fmt.Sprintf("%d, %s, %d times", status, how, times)
				switch {
				case twice:
					refuses(t, status, err)
				case err != nil:
					t.Errorf("%s: %v", name, err)
				default:
					readAll(t, f, data)
				}
				if err == nil {
					if err := f.Close(); err != nil {
						t.Error(err)
					}
				}
				if n := resolved.Load(); n > 3 || n < 2 {
					t.Errorf("%s: GitLab was asked %d times", name, n)
				}
				gitlab.Client().CloseIdleConnections()
				gitlab.Close()
			}
		}
	}
}

// A request that GitLab itself refuses is sent once.
func TestRefusedByGitLab(t *testing.T) {
	t.Parallel()
	for _, status := range []int{401, 403, 404, 410} {
		o := serve(t, nil, func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			w.WriteHeader(status)
			return true
		})
		_, err := tryOpen(t, o, fetch.Options{Check: checkStatus})
		if refuses(t, status, err); len(o.asked()) != 1 {
			t.Errorf("%d: %d requests", status, len(o.asked()))
		}
	}
}

// An answer that repeats the signature of its address doesn't bring it into an error.
func TestSignatureIsNotRepeated(t *testing.T) {
	t.Parallel()
	o := serve(t, content(5000), func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		w.Header().Set("Content-Encoding", "SECRETSIG123")
		return false
	})
	_, err := fetch.Open(t.Context(), o.URL+"/?X-Sig=SECRETSIG123", fetch.Options{Client: o.client(), SpoolDir: t.TempDir()})
	if _, ok := errors.AsType[*fetch.AnswerError](err); !ok || strings.Contains(err.Error(), "SECRETSIG") {
		t.Errorf("error = %v", err)
	}
}
