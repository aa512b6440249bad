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

// Divide distributes a file whose first connection brings the beginning in any case. It
// returns what takes the next part from the front, and from the back.
func Divide(size, beginning, least int64, others int) (first, last func() (off, n int64)) {
	d := &division{others: int64(others), beginning: beginning, back: size, least: least, most: 16 << 20}
	return d.first, d.last
}
