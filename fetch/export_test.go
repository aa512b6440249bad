package fetch

import "context"

// OpenSized is Open with other sizes: files up to so many bytes are in memory as a whole,
// of larger ones as many of the beginning. So tests of large files needn't have any.
func OpenSized(ctx context.Context, url string, o Options, whole, ahead int64) (*File, error) {
	o = o.withDefaults()
	r := newRemote(url, o)
	r.sizes = sizes{whole, ahead}
	return r.openFile(ctx, o)
}
