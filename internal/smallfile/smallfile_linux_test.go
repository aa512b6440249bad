package smallfile_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/smallfile"
)

// Files without a size are read to the end, or up to the limit: for a process
// substitution, a shell passes /dev/fd/63.
func TestReadWithoutSize(t *testing.T) {
	t.Parallel()
	for n, refused := range map[int]bool{0: false, 100: false, limit: false, 100 * limit: true} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		wrote := make(chan int, 1)
		go func() {
			n, _ := w.WriteString(strings.Repeat("x", n)) // nobody may want the rest
			_ = w.Close()
			wrote <- n
		}()
		got, err := smallfile.Read(t.Context(), fmt.Sprintf("/dev/fd/%d", r.Fd()), limit)
		if _, is := errors.AsType[*smallfile.TooLargeError](err); is != refused || !is && (err != nil || len(got) != n) {
			t.Errorf("%d bytes: %d bytes, %v", n, len(got), err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if n := <-wrote; n > limit+1+64<<10 { // which the pipe itself holds
			t.Errorf("%d bytes were taken out of the pipe", n)
		}
	}
	if _, err := smallfile.Read(t.Context(), "/dev/zero", limit); err == nil {
		t.Error("/dev/zero has an end")
	}
}
