// Package digest computes and parses SHA-256 digests, which the program writes as 64
// lower-case hexadecimal digits.
package digest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/ctxio"
)

// Parse returns a SHA-256 in lower case, and whether text is one. It takes capital
// digits too, as many tools print them.
func Parse(text string) (string, bool) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != sha256.Size {
		return "", false
	}
	return strings.ToLower(text), true
}

// Sum returns the SHA-256 of everything that r holds. It stops when ctx ends.
func Sum(ctx context.Context, r io.Reader) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, ctxio.Reader(ctx, r)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
