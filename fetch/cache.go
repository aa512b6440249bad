package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"gitlab.com/artifetch/artifetch/internal/atomicfile"
	"gitlab.com/artifetch/artifetch/internal/smallfile"
	"gitlab.com/artifetch/artifetch/internal/space"
)

// The cache keeps whole archives between runs:
//
//	objects/<SHA-256 of the archive>      the archive
//	refs/<SHA-256 of its address>.json    its object and its ETag
//	refs/<SHA-256 of its address>.lock    held by the run that downloads it
//
// An archive is used only after the server has said that it hasn't changed (RFC 9110
// §13.1.2), and kept only if it has a strong ETag: old servers send the same weak one
// with all archives. Files are renamed into place, so concurrent runs never see partial
// ones. If several runs want the same archive, one downloads it and the others wait (see
// shared.go). Before an object is used, its content is compared with its name; if it is
// damaged, it is downloaded again.
type cache struct{ dir string }

// ErrNoETag reports a server that doesn't send a strong ETag, or sends the same one with
// all archives: there is no way to know whether the archive has changed.
var ErrNoETag = errors.New("the server sends no strong ETag, so artifetch can't tell whether an archive has changed")

// cached is the content of a ref.
type cached struct {
	ETag   string `json:"etag"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

func (c cache) object(digest string) string { return filepath.Join(c.dir, "objects", digest) }

func (c cache) ref(address string) string {
	name := sha256.Sum256([]byte(address))
	return filepath.Join(c.dir, "refs", hex.EncodeToString(name[:])+".json")
}

// maxRef is an upper limit for the size of a ref, in bytes.
const maxRef = 64 << 10

// lookup opens the object that the address had when it was last downloaded. It treats a
// damaged object as missing; storing it again replaces it.
func (c cache) lookup(ctx context.Context, address string) (cached, *os.File, bool) {
	var known cached
	text, err := smallfile.Read(ctx, c.ref(address), maxRef)
	if err != nil || json.Unmarshal(text, &known) != nil || !isObject(known.SHA256) || !isStrong(known.ETag) {
		return cached{}, nil, false
	}
	object, err := c.open(ctx, known.SHA256)
	return known, object, err == nil
}

// open opens an object and compares its content with its name. If they differ, it removes
// the object and treats it as missing.
func (c cache) open(ctx context.Context, digest string) (*os.File, error) {
	object, err := os.Open(c.object(digest))
	if err != nil {
		return nil, err
	}
	if got, err := digestOf(ctx, object, wholeFile); err != nil || got != digest {
		_ = object.Close()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		_ = os.Remove(object.Name()) // other runs that have it open can still read it
		return nil, &fs.PathError{Op: "open", Path: object.Name(), Err: fs.ErrNotExist}
	}
	touch(object.Name())
	return object, nil
}

// InCache reports whether a cache has the archive with that SHA-256.
func InCache(dir, sha256 string) bool {
	if dir == "" || !isObject(sha256) {
		return false
	}
	_, err := os.Stat(cache{dir}.object(sha256))
	return err == nil
}

// FromCache opens the cached archive with that SHA-256, without asking a server. The
// caller must close it. The error is an [fs.ErrNotExist] if it is missing or damaged.
func FromCache(ctx context.Context, dir, sha256 string) (*os.File, error) {
	if !InCache(dir, sha256) {
		return nil, &fs.PathError{Op: "open", Path: filepath.Join(dir, "objects", sha256), Err: fs.ErrNotExist}
	}
	return cache{dir}.open(ctx, sha256)
}

// openCached opens the file from the cache if the server says that it hasn't changed.
// Otherwise it downloads the file into the cache, unless another run is doing that.
func (r *remote) openCached(ctx context.Context, o Options) (*File, error) {
	c := cache{o.CacheDir}
	f, stale, err := r.openKnown(ctx, c, cached{})
	if f != nil || err != nil {
		return f, err
	}
	done, err := c.turn(ctx, r.origin, o.OnCacheWait)
	if err != nil {
		return nil, err
	}
	defer done()
	if f, _, err := r.openKnown(ctx, c, stale); f != nil || err != nil {
		return f, err // another run has just downloaded it
	}
	f, err = r.openRemote(ctx, o)
	if err == nil && f.remote.validator.etag == "" {
		o.OnCacheError(ErrNoETag)
		return f, nil
	}
	if err != nil {
		return nil, err
	}
	f, err = c.store(f, o.OnCacheError)
	if err == nil && f.kept {
		c.evict(o.CacheSize, f.spool.Name())
	}
	return f, err
}

// openKnown opens the file from the cache if it is there and the server says that it
// hasn't changed. It also returns the cache's record of it. It makes no request about
// stale, which is known to have changed.
func (r *remote) openKnown(ctx context.Context, c cache, stale cached) (*File, cached, error) {
	known, object, found := c.lookup(ctx, r.origin)
	if !found {
		return nil, known, nil
	}
	same, err := known != stale, error(nil)
	if same {
		same, err = r.unchanged(ctx, known)
	}
	if err == nil && same {
		return &File{ctx: ctx, remote: r, spool: object, kept: true, cached: true, size: known.Size, sha256: known.SHA256}, known, nil
	}
	_ = object.Close() // it has changed
	return nil, known, err
}

// store puts the file into the cache and returns the cached copy.
func (c cache) store(f *File, report func(error)) (*File, error) {
	object, digest, err := c.keep(f)
	if isLocal(err) { // the archive is readable without a cache
		report(err)
		return f, nil
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := c.remember(f, digest); err != nil {
		report(err) // the next run downloads it again
	}
	known := &File{ctx: f.ctx, remote: f.remote, spool: object, kept: true, size: f.size, sha256: digest}
	if err := f.Close(); err != nil {
		return nil, errors.Join(err, known.Close())
	}
	return known, nil
}

// unchanged asks the server whether the archive is still the one in the cache. Servers
// compare ETags weakly here (RFC 9110 §13.1.2), so a 304 may be about another ETag than
// the one in the request. Servers that ignore the condition, as fake-gcs-server does,
// send their ETag with the archive; its body isn't read.
func (r *remote) unchanged(ctx context.Context, known cached) (bool, error) {
	a, err := r.first(ctx, question{kind: askChange, etag: known.ETag})
	if err != nil {
		return false, err
	}
	_ = a.Body.Close() // only its headers matter
	told := a.Header.Get("ETag")
	if a.outcome == gotUnchanged {
		return told == "" || told == known.ETag, nil
	}
	sameSize := a.ContentLength < 0 || a.ContentLength == known.Size
	return told == known.ETag && sameSize && !encoded(a.Response), nil
}

// keep downloads the file into the cache and opens it.
func (c cache) keep(f *File) (object *os.File, digest string, err error) {
	for _, dir := range []string{"objects", "refs"} {
		dir = filepath.Join(c.dir, dir)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, "", err
		}
		atomicfile.Sweep(dir)
	}
	if err := space.Check(c.dir, f.size); err != nil {
		return nil, "", err
	}
	temp, err := atomicfile.New(filepath.Join(c.dir, "objects"), 0o600)
	if err != nil {
		return nil, "", err
	}
	defer temp.Discard()
	if err := f.download(temp); err != nil {
		return nil, "", err
	}
	if digest, err = digestOf(f.ctx, temp, wholeFile); err != nil {
		return nil, "", err
	}
	if f.sha256 != "" && digest != f.sha256 {
		return nil, "", &DigestError{Got: digest, Want: f.sha256}
	}
	object, err = c.place(temp, digest)
	return object, digest, err
}

// place gives the object its name and opens it. It replaces an object of the same name,
// which may be damaged.
func (c cache) place(temp *atomicfile.Pending, digest string) (*os.File, error) {
	if err := temp.Commit(c.object(digest)); err != nil {
		return nil, err
	}
	return os.Open(c.object(digest))
}

// remember records the address's object.
func (c cache) remember(f *File, digest string) error {
	text, err := json.Marshal(cached{ETag: f.remote.validator.etag, Size: f.size, SHA256: digest})
	if err != nil {
		return err
	}
	ref := c.ref(f.remote.origin)
	temp, err := atomicfile.New(filepath.Dir(ref), 0o600)
	if err != nil {
		return err
	}
	defer temp.Discard()
	if _, err := temp.Write(text); err != nil {
		return err
	}
	return temp.Commit(ref)
}
