package codec

import (
	"fmt"
	"io"
)

// guarded turns panics into errors: some decompressors panic on damaged streams.
type guarded struct{ io.ReadCloser }

// Guard opens a decompressor whose panics become errors.
func Guard(open func() (io.ReadCloser, error)) (io.ReadCloser, error) {
	var r io.ReadCloser
	err := Survive(func() (err error) { r, err = open(); return err })
	if err != nil {
		return nil, err
	}
	return guarded{r}, nil
}

// GuardReader returns r with panics turned into errors.
func GuardReader(r io.Reader) io.Reader { return guarded{io.NopCloser(r)} }

// Read implements [io.Reader].
func (g guarded) Read(p []byte) (n int, err error) {
	err = Survive(func() (err error) { n, err = g.ReadCloser.Read(p); return err })
	return n, err
}

// Survive calls do and turns a panic into an error.
func Survive(do func() error) (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("it makes no sense: %v", broken)
		}
	}()
	return do()
}

// OnClose returns r with a function that Close calls, too.
func OnClose(r io.ReadCloser, then func()) io.ReadCloser { return &closer{r, then} }

type closer struct {
	io.ReadCloser
	then func()
}

// Close implements [io.Closer].
func (c *closer) Close() error {
	defer c.then()
	return c.ReadCloser.Close()
}
